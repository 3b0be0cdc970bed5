"""Options for reads from a standby of a PostgreSQL database."""

from collections.abc import Callable
from typing import TypeVar

import click

from originmap.cli import option_types
from originmap.settings import default_of, help_of
from originmap.store.postgres.url import is_postgres

F = TypeVar("F", bound=Callable[..., object])


def read_from(command: F) -> F:
    """--read-from, --read-from-max-lag"""
    command = click.option(
        "--read-from-max-lag",
        default=default_of("read_from_max_lag"),
        show_default=True,
        metavar="SECONDS",
        type=option_types.Amount(0.1, 86_400),
        help=help_of("read_from_max_lag"),
        envvar="ORIGINMAP_READ_FROM_MAX_LAG",
    )(command)
    return click.option(
        "--read-from",
        default=default_of("read_from"),
        metavar="URL",
        help=help_of("read_from"),
        envvar="ORIGINMAP_READ_FROM",
    )(command)


def check_read_from(standby: str, db: str, follow: str) -> None:
    """Refuse a standby that the other options rule out."""
    if not standby:
        return
    for option, url in (("--read-from", standby), ("--db", db)):
        if not is_postgres(url):
            raise click.UsageError(
                f"--read-from is for PostgreSQL, and {option} is not a postgresql:// URL: set both"
                " to one, or remove --read-from"
            )
    if follow:
        raise click.UsageError(
            "--read-from has no effect on a replica (--follow): remove one of them"
        )

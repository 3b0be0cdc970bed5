"""originmap serve: the production server."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click

from originmap import databases
from originmap.bootstrap_server import Blueprint
from originmap.cli import listen_address, option_types, options
from originmap.cli.listen_address import base_url
from originmap.cli.run import run
from originmap.service import initial_data
from originmap.settings import Settings, default_of, help_of
from originmap.store.postgres.url import is_postgres

F = TypeVar("F", bound=Callable[..., object])


def _read_from(command: F) -> F:
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


@click.command("serve")
@listen_address.host
@listen_address.port
@options.db
@options.colo
@options.enable_v1(default=False)
@options.own_vendors
@options.rate_limit
@options.ranges
@options.follow(Settings)
@_read_from
@options.history
@options.private_hooks(default=False)
@listen_address.xds()
@options.metrics
@options.ui
@options.log_requests
def command(db: str, follow: str, token_file: Path | None, **rest: Any) -> None:
    """Start a production server.

    It has no credentials except the ones that you create with originmap token create, before it
    starts or while it runs. It refuses a database of originmap dev.

    The server creates a database file that does not exist; the folder must exist. With --follow the
    server is a replica of the primary at that URL, and other replicas can follow it:
    docs/replicas.md. With --read-from, a standby serves reads: docs/operations.md. With --xds it
    serves nodes that run Envoy: docs/envoy.md.

    The server reads the published IP ranges when it starts and when a file changes. Settings,
    environment variables and rate limits: docs/settings.md.

    Example: originmap serve --db /var/lib/originmap/originmap.db
    """
    _check_read_from(rest["read_from"], db, follow)
    listen_address.check_certificates(rest["xds_cert"], rest["xds_key"], rest["xds_client_ca"])
    token = options.token(token_file, follow) if follow else ""
    settings = Settings(db=db, follow=follow, token=token, **rest)
    run(settings, Blueprint(initial_data.prepare_to_serve), partial(_started, db))


def _started(db: str, host: str, port: int) -> None:
    click.echo(f"Originmap {base_url(host, port)}/client/v4 (data in {databases.shown(db)})")


def _check_read_from(standby: str, db: str, follow: str) -> None:
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

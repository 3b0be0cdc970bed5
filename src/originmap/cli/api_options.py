"""What the commands of mappings as code share: the API that they ask, and what they say of it."""

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from originmap.atomic_file import replace_file
from originmap.cli import options
from originmap.cli.credentials import checked_api_credentials
from originmap.cli.failure import print_slow, print_wait
from originmap.cli.variables import name_variable
from originmap.domain.plan.selection import InvalidPattern, Pattern, pattern
from originmap.settings import CLOUDFLARE_API, outbound_environment

if TYPE_CHECKING:
    from originmap.client.mappings import RemoteMappings

F = TypeVar("F", bound=Callable[..., object])


class _WrongUse(click.UsageError):
    exit_code = 1


class Differing(click.Command):
    """A command whose exit status 2 says that there are changes: a wrong command line is 1."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: object,
    ) -> click.Context:
        with _as_error():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> object:
        with _as_error():
            return super().invoke(ctx)


def api(command: F) -> F:
    """--api"""
    return click.option(
        "--api",
        default=CLOUDFLARE_API,
        show_default=True,
        metavar="URL",
        envvar="CLOUDFLARE_BASE_URL",
        callback=options.checked_url,
        help="Base URL of the v4 API: of Cloudflare or of an Originmap server.",
    )(command)


def path(command: F) -> F:
    """PATH, a file of mappings or a folder of them"""
    return click.argument("path", type=click.Path(path_type=Path))(command)


def only(command: F) -> F:
    """--only"""
    return click.option(
        "--only",
        multiple=True,
        metavar="GLOB",
        callback=_patterns,
        help="Only mappings that match this pattern: 192.0.2.*, 10.0.0.0/8, aws/us-*; repeatable.",
    )(command)


def zones(command: F) -> F:
    """--zone"""
    return click.option(
        "--zone",
        "zones",
        multiple=True,
        metavar="ZONE",
        help="Only this zone, by ID or name; repeatable. Default: all zones.",
    )(command)


def out(command: F) -> F:
    """--out"""
    return click.option(
        "--out",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="File to write. Default: stdout.",
    )(command)


@contextlib.contextmanager
def remote(api: str) -> Iterator["RemoteMappings"]:
    """The mappings behind an API. Raises NoCredentials."""
    # Imported here: --help and commands without an API must not wait for an HTTP client.
    from originmap.client.connection import APIConnection, Credentials
    from originmap.client.mappings import RemoteMappings

    signed = Credentials(*checked_api_credentials())
    environment = outbound_environment()
    with APIConnection(
        api, signed, print_wait, environment=environment, on_slow=print_slow
    ) as connection:
        yield RemoteMappings(connection)


def _patterns(
    ctx: click.Context, param: click.Parameter, value: tuple[str, ...]
) -> tuple[Pattern, ...]:
    try:
        return tuple(pattern(text) for text in value)
    except InvalidPattern as error:
        raise click.BadParameter(str(error)) from None


@contextlib.contextmanager
def _as_error() -> Iterator[None]:
    try:
        yield
    except click.UsageError as error:
        name_variable(error)
        raise _WrongUse(error.format_message(), error.ctx) from error


def write_out(file: Path | None, parts: Iterable[str], option: str = "--out") -> None:
    """Print a text that comes in parts, or write it to the file of an option atomically, following
    a symbolic link. Raises UnusableFile."""
    if file is None:
        sys.stdout.writelines(parts)
        return
    from originmap.mapfile.errors import UnusableFile

    try:
        replace_file(file, (part.encode() for part in parts))
    except OSError as error:
        hint = f"give {option} a path that this user may write"
        raise UnusableFile(str(file), error.strerror or str(error), hint) from error
    click.echo(f"written to {file}", err=True)

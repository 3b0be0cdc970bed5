"""originmap hook: send changes to URLs, and manage what could not be delivered."""

import sys
from pathlib import Path
from urllib.parse import quote

import click

from originmap.cli import option_types, options
from originmap.cli.output.table import print_json, print_table
from originmap.cli.server_options import server
from originmap.client.server import NATIVE, APIServer
from originmap.domain.encoding import NotText, decode
from originmap.domain.hook.errors import InvalidHook
from originmap.domain.hook.hook import KINDS, check_url
from originmap.file_mode import others_may_access

_HOOKS = NATIVE + "/hooks"
_NAME = click.argument("name")
_REVISIONS = click.option(
    "--revision",
    "revisions",
    multiple=True,
    type=option_types.REVISION,
    help="Only the dead letter of this revision; repeatable. Default: all.",
)


def _kinds(ctx: click.Context, param: click.Parameter, value: str) -> list[str]:
    kinds = [kind.strip() for kind in value.split(",")]
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        raise click.BadParameter(f"{unknown[0]!r} is not one of {', '.join(KINDS)}")
    return kinds


def _url(ctx: click.Context, param: click.Parameter, value: str) -> str:
    try:
        check_url(value, private=True)
    except InvalidHook as error:
        raise click.BadParameter(str(error).removeprefix("url: ")) from None
    return value


@click.group("hook")
def command() -> None:
    """Send changes to URLs as signed webhooks."""


@command.command("add")
@click.argument("receiver", metavar="URL", callback=_url)
@click.option(
    "--on",
    required=True,
    metavar="KINDS",
    callback=_kinds,
    help=f"Kinds of change to send, separated by commas: {', '.join(KINDS)}.",
)
@click.option(
    "--secret-file",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File with the secret for the signature: whsec_ and 24 to 64 bytes in Base64.",
)
@click.option("--name", default="", help="Name of the hook: a-z, 0-9 and -. Default: a random one.")
@server
@options.as_json
def add(
    receiver: str, on: list[str], secret_file: Path, name: str, server: APIServer, as_json: bool
) -> None:
    """Send the changes from now on to a URL, and print the name of the hook.

    Each change is a POST with the JSON of the change feed, signed with the secret by the
    specification of Standard Webhooks. Only the user of this command may have access to the file
    of the secret. The URL must be https:// and its host public, unless the server allows others:
    docs/webhooks.md.

    Example: originmap hook add https://ops.example.net/changes --on mapping,topology
    --secret-file hook.secret --db originmap.db
    """
    asked = {"url": receiver, "on": on, "secret": _secret(secret_file), "name": name}
    made = server.ask("POST", _HOOKS, body=asked)
    if as_json:
        print_json([made])
    else:
        click.echo(made["name"])


@command.command("list")
@server
@options.as_json
def list_(server: APIServer, as_json: bool) -> None:
    """List all hooks by name, with the revision that each has reached, without their secrets.

    Example: originmap hook list --db originmap.db
    """
    rows = server.ask("GET", _HOOKS)
    if as_json:
        print_json(rows)
    else:
        columns = ("name", "url", "on", "revision", "attempts", "dead_letters", "problem")
        print_table(rows, columns)


@command.command("remove")
@_NAME
@server
def remove(name: str, server: APIServer) -> None:
    """Remove a hook with its dead letters.

    Example: originmap hook remove ops --db originmap.db
    """
    server.ask("DELETE", _path(name))
    click.echo(f"removed {name}", err=True)


@command.command("test")
@_NAME
@server
def test(name: str, server: APIServer) -> None:
    """Send a signed ping to a hook.

    The exit status is 1 if the receiver does not accept it.

    Example: originmap hook test ops --db originmap.db
    """
    found = server.ask("POST", _path(name) + "/test")
    if not found["delivered"]:
        click.echo(f"not delivered: {found['problem']}", err=True)
        sys.exit(1)
    click.echo("delivered")


@command.command("dead")
@_NAME
@server
@options.as_json
def dead(name: str, server: APIServer, as_json: bool) -> None:
    """List the dead letters of a hook: changes that were not delivered, oldest first.

    Example: originmap hook dead ops --db originmap.db
    """
    found = server.ask("GET", _path(name) + "/dead")
    if as_json:
        print_json(found["letters"])
    else:
        print_table(found["letters"], ("revision", "died_on", "problem"))
    if found["dropped"]:
        click.echo(f"{found['dropped']:,} older ones were dropped", err=True)


@command.command("retry")
@_NAME
@_REVISIONS
@server
def retry(name: str, revisions: tuple[int, ...], server: APIServer) -> None:
    """Send dead letters of a hook again, once, and a change that waits for its next attempt.

    The server sends them in the background; those that fail again stay dead letters.

    Example: originmap hook retry ops --db originmap.db
    """
    body = {"revisions": revisions}
    found = server.ask("POST", _path(name) + "/dead", body=body)
    click.echo(f"dead letters to send again: {found['count']}", err=True)


@command.command("discard")
@_NAME
@_REVISIONS
@server
def discard(name: str, revisions: tuple[int, ...], server: APIServer) -> None:
    """Forget dead letters of a hook.

    Example: originmap hook discard ops --revision 41 --db originmap.db
    """
    query = [("revision", str(revision)) for revision in revisions]
    found = server.ask("DELETE", _path(name) + "/dead", query)
    click.echo(f"dead letters discarded: {found['count']}", err=True)


def _path(name: str) -> str:
    return f"{_HOOKS}/{quote(name, safe='')}"


def _secret(file: Path) -> str:
    """The secret in a file that only its owner can access."""
    try:
        mode = file.stat().st_mode
        secret = decode(file.read_bytes()).strip()
    except OSError as error:
        raise click.UsageError(f"--secret-file {file}: {error.strerror}") from None
    except NotText as error:
        raise click.UsageError(f"--secret-file {file}: {error}") from None
    if others_may_access(mode):
        raise click.UsageError(f"--secret-file {file}: other users can access it: chmod 600 {file}")
    return secret

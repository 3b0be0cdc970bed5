"""originmap context: named servers."""

from pathlib import Path

import click
from msgspec.structs import replace

from originmap.cli import credentials, options
from originmap.cli.contexts import ServerContext, read_contexts, write_contexts
from originmap.cli.output.table import print_json, print_table


@click.group("context")
def command() -> None:
    """Add, select and remove named servers.

    Commands without --db, --server or --context use the server that originmap context use selected.
    """


@command.command("add")
@click.argument("name")
@click.argument("url", callback=options.checked_url)
@options.token_file("URL")
def add(name: str, url: str, token_file: Path | None) -> None:
    """Add a named server.

    Other commands select the server at URL by its NAME. The first server added is in use at once.
    The token is read from --token-file or ORIGINMAP_TOKEN, or the command asks for it. It is stored
    in a file that only you can read: docs/settings.md#files.

    Example: originmap context add prod https://originmap.example.net
    """
    token = options.given_token(token_file)
    if not token:
        token = credentials.checked("token", click.prompt("Token", hide_input=True, err=True))
    known = read_contexts()
    added = {**known.contexts, name: ServerContext(url, token)}
    write_contexts(replace(known, contexts=added, current=known.current or name))


@command.command("use")
@click.argument("name")
def use(name: str) -> None:
    """Select a named server for all commands.

    Example: originmap context use prod
    """
    known = read_contexts()
    known.called(name)
    write_contexts(replace(known, current=name))


@command.command("list")
@options.as_json
def list_(as_json: bool) -> None:
    """List the named servers, without their tokens.

    Example: originmap context list
    """
    known = read_contexts()
    rows = [
        {"name": name, "server": context.server, "in_use": name == known.current}
        for name, context in sorted(known.contexts.items())
    ]
    if as_json:
        print_json(rows)
    else:
        table = [row | {"in_use": "yes" if row["in_use"] else "no"} for row in rows]
        print_table(table, ("name", "server", "in_use"))


@command.command("remove")
@click.argument("name")
def remove(name: str) -> None:
    """Remove a named server and its stored token.

    The token stays valid until originmap token revoke.

    Example: originmap context remove prod
    """
    known = read_contexts()
    known.called(name)
    left = {each: context for each, context in known.contexts.items() if each != name}
    current = "" if known.current == name else known.current
    write_contexts(replace(known, contexts=left, current=current))

"""originmap context: name the servers that commands are for."""

from pathlib import Path

import click
from msgspec.structs import replace

from originmap.cli import credentials, options
from originmap.cli.contexts import ServerContext, read_contexts, write_contexts
from originmap.cli.output.table import print_json, print_table


@click.group("context")
def command() -> None:
    """Name the servers that commands are for.

    Without --db, --server or --context a command is for the server of the context in use.
    """


@command.command("add")
@click.argument("name")
@click.argument("url", callback=options.checked_url)
@options.token_file("URL")
def add(name: str, url: str, token_file: Path | None) -> None:
    """Call the server at URL by NAME, with a token, and use it if it is the first.

    The token is that of --token-file or ORIGINMAP_TOKEN; else it is asked for. It is kept in a file
    that only you can read.

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
    """Use the server called NAME from now on.

    Example: originmap context use prod
    """
    known = read_contexts()
    known.called(name)
    write_contexts(replace(known, current=name))


@command.command("list")
@options.as_json
def list_(as_json: bool) -> None:
    """List the servers that have a name, without their tokens.

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
    """Forget the server called NAME, and its token; the token itself stays valid.

    Example: originmap context remove prod
    """
    known = read_contexts()
    known.called(name)
    left = {each: context for each, context in known.contexts.items() if each != name}
    current = "" if known.current == name else known.current
    write_contexts(replace(known, contexts=left, current=current))

"""originmap followers: who follows a server."""

from typing import Any

import click

from originmap.cli import options
from originmap.cli.output.change_text import moment
from originmap.cli.output.table import print_json, print_table
from originmap.cli.server_options import server
from originmap.client.server import NATIVE, Server


@click.command("followers")
@server
@options.as_json
def command(server: Server, as_json: bool) -> None:
    """Print who follows the server that owns a database: revision, lag, last contact, and of a
    node that feeds a cache the revision which that serves, and what keeps it from a newer one.

    The server keeps this in memory: without a running server the list is empty.

    Example: originmap followers --db originmap.db
    """
    rows = server.ask("GET", NATIVE + "/followers")
    if as_json:
        print_json(rows)
        return
    columns = (
        "name",
        "colo",
        "client",
        "revision",
        "applied",
        "lag",
        "last_contact",
        "serves",
        "problem",
    )
    print_table([row | _cells(row) for row in rows], columns)


def _cells(row: dict[str, Any]) -> dict[str, Any]:
    """What a table shows otherwise than JSON: a replica applies nothing, and a problem may have
    several lines."""
    return {
        "last_contact": moment(row["last_contact"]),
        "applied": "-" if row["applied"] is None else row["applied"],
        "problem": row["problem"].partition("\n")[0],
    }

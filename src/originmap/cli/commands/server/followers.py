"""originmap followers: the replicas and nodes that follow a server."""

from typing import Any

import click

from originmap.cli import options
from originmap.cli.output.change_text import moment
from originmap.cli.output.table import print_json, print_table
from originmap.cli.server_options import server
from originmap.client.server import NATIVE, APIServer


@click.command("followers")
@server
@options.as_json
def command(server: APIServer, as_json: bool) -> None:
    """Print the replicas and nodes that follow a server.

    Each row has the revision that the follower has, its lag and its last contact. For a node the
    row also has the colo, the revision that its cache serves (applied) and the problem, if any,
    that keeps the node from a newer revision.

    The server keeps the list in memory for a day; if no server is running, the list is empty.

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

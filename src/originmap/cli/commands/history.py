"""originmap history: how a zone's mappings changed."""

from typing import Any

import click

from originmap.cli import option_types, options
from originmap.cli.output.change_text import moment, shown
from originmap.cli.output.table import print_json, print_table
from originmap.cli.server_options import server
from originmap.client.server import APIServer, of_zone

_MOST = 1_000
"""Changes that a server tells at once."""


@click.command("history")
@click.argument("zone")
@server
@click.option("--ip", help="Only changes of this IP address.")
@click.option(
    "--limit",
    default=50,
    show_default=True,
    type=option_types.Whole(1, 10_000),
    help="Number of changes.",
)
@options.as_json
def command(zone: str, server: APIServer, ip: str | None, limit: int, as_json: bool) -> None:
    """Print the changes of a zone's mappings, newest first.

    Each row has the revision, the time, the credential, the address, and the region before and
    after. ZONE is an ID or a name.

    Example: originmap history example.com --ip 192.0.2.1 --db originmap.db
    """
    rows = _changes(server, zone, ip, limit)
    if as_json:
        print_json(rows)
        return
    columns = ("revision", "when", "who", "from", "origin_ip", "before", "after")
    print_table([shown(row) | _cells(row) for row in rows], columns)


def _cells(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "when": moment(row["at"]),
        "who": row["actor"],
        "from": row["client"] or "-",
        "origin_ip": row["id"],
    }


def _changes(server: APIServer, zone: str, ip: str | None, limit: int) -> list[dict[str, object]]:
    """The last changes of mappings: those of the zone itself, which come along, are left out."""
    path, found = of_zone(zone, "history"), list[dict[str, object]]()
    query = [("limit", str(min(limit, _MOST)))] + ([("ip", ip)] if ip else [])
    before: list[tuple[str, str]] = []
    while len(found) < limit and (some := server.ask("GET", path, [*query, *before])):
        found += [change for change in some if change["kind"] == "mapping"]
        before = [("before", str(some[-1]["revision"]))]
    return found[:limit]

"""originmap audit: the audit log."""

from typing import Any

import click
import msgspec

from originmap.cli import option_types, options
from originmap.cli.output.change_text import moment
from originmap.cli.output.table import print_json, print_table
from originmap.cli.server_options import server
from originmap.client.server import NATIVE, APIServer

_LONGEST = 60
"""Characters of a value that are shown; --json has up to 4 KiB, or 1 KiB in a long list."""


@click.command("audit")
@server
@click.option(
    "--zone",
    metavar="NAME",
    help="Only changes of this zone, by name, and of its mappings; the zone may be deleted.",
)
@click.option(
    "--limit",
    default=50,
    show_default=True,
    type=option_types.Whole(1, 10_000),
    help="Number of entries.",
)
@options.as_json
def command(server: APIServer, zone: str | None, limit: int, as_json: bool) -> None:
    """Print the audit log, newest entry first.

    An entry has the time, the credential, the client address, the action, the resource, and the old
    and new values. The credential cli is this command line, setup the creation of the database.
    Secrets are never shown, not even as hashes. Large parts of a record, such as the colos of a
    topology, are replaced by their size and digest. The last 200,000 changes are searched.

    Example: originmap audit --zone example.com --db originmap.db
    """
    query = [("limit", str(limit))] + ([("zone", zone)] if zone else [])
    rows = server.ask("GET", NATIVE + "/audit", query)
    if as_json:
        print_json(rows)
        return
    columns = ("when", "who", "from", "action", "what", "zone_name", "change")
    print_table([_readable(row) for row in rows], columns)


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    what = row["resource_id"]
    if row["resource_type"] != "origin_cloud_region":
        what = f"{row['resource_type']} {what}"
    return row | {
        "when": moment(row["at"]),
        "who": row["actor_email"] or row["actor_id"],
        "from": row["actor_ip"] or "-",
        "what": what,
        "change": _difference(row["old"] or {}, row["new"] or {}),
    }


def _difference(old: dict[str, object], new: dict[str, object]) -> str:
    """The members that differ, as old -> new; for a new or deleted resource, its place."""
    names = [name for name in (*old, *new) if old.get(name) != new.get(name)]
    if not (old and new):
        names = [name for name in ("name", "email", "vendor", "region") if name in (old or new)]
        return " ".join(str((old or new)[name]) for name in names)
    return ", ".join(
        f"{name}: {_short(old.get(name))} -> {_short(new.get(name))}"
        for name in dict.fromkeys(names)
        if name != "modified_on"
    )


def _short(value: object) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"

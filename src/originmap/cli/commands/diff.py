"""originmap diff: how a zone's mappings differ between two revisions."""

import click

from originmap.cli import option_types, options
from originmap.cli.output.change_text import shown
from originmap.cli.output.table import print_json, print_table
from originmap.cli.server_options import server
from originmap.client.server import APIServer, of_zone
from originmap.domain.mapping import address as addresses

Places = dict[str, dict[str, str]]
"""Vendor and region by address."""


@click.command("diff")
@click.argument("zone")
@click.argument("since", type=option_types.REVISION)
@click.argument("until", type=option_types.REVISION, required=False)
@server
@options.as_json
def command(zone: str, since: int, until: int | None, server: APIServer, as_json: bool) -> None:
    """Print the differences between two revisions of a zone's mappings.

    SINCE and UNTIL are revisions, as originmap history prints them. Without UNTIL, the mappings of
    SINCE are compared with the current ones. ZONE is an ID or a name.

    Example: originmap diff example.com 41 --db originmap.db
    """
    rows = _difference(_mappings(server, zone, since), _mappings(server, zone, until))
    if as_json:
        print_json(rows)
    elif rows:
        print_table([shown(row) for row in rows], ("origin_ip", "before", "after"))
    else:
        click.echo("no difference")


def _mappings(server: APIServer, zone: str, at: int | None) -> Places:
    """The mappings as of a revision, or now, in the order of their addresses."""
    query = [] if at is None else [("at", str(at))]
    found = server.ask("GET", of_zone(zone, "mappings"), query)
    return {
        mapping["origin_ip"]: {name: mapping[name] for name in ("vendor", "region")}
        for mapping in found["mappings"]
    }


def _difference(old: Places, new: Places) -> list[dict[str, object]]:
    return [
        {"origin_ip": ip, "before": old.get(ip), "after": new.get(ip)}
        for ip in sorted({*old, *new}, key=addresses.parse)
        if old.get(ip) != new.get(ip)
    ]

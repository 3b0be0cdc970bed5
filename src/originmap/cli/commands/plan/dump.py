"""originmap dump: print the live mappings as a mappings file."""

import io
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import click

from originmap import data
from originmap.cli.api_options import api, only, out, remote, write_out, zones
from originmap.cli.planning import Reading, print_same_name
from originmap.client.errors import NoPools
from originmap.client.mappings import RemoteMappings, RemoteZone
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Place
from originmap.domain.plan.plan import shown
from originmap.domain.plan.selection import Pattern, Selection
from originmap.domain.zone.name import lookup_name
from originmap.mapfile import reader
from originmap.mapfile.document import Document
from originmap.mapfile.terraform import ExportedZone
from originmap.mapfile.writer import WRITERS, ZoneState
from originmap.planning.snapshot import snapshot, zones_asked_for


@click.command("dump")
@zones
@only
@api
@click.option(
    "--format",
    "form",
    type=click.Choice(list(WRITERS)),
    default="yaml",
    show_default=True,
    help="Format of the file.",
)
@click.option(
    "--comments",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Keep the comments of this mappings file, or folder of them.",
)
@out
def command(
    zones: tuple[str, ...],
    only: tuple[Pattern, ...],
    api: str,
    form: str,
    comments: Path | None,
    out: Path | None,
) -> None:
    """Print the live mappings as a mappings file.

    A plan of the output has nothing to do. The same mappings give the same bytes. Zones without
    mappings are left out unless --zone names them. CSV has no pools, nor has the output with
    --only.

    Example: originmap dump --zone example.com --out mappings.yaml
    """
    document = reader.read(comments, None) if comments else Document(None)
    text, unknown = io.StringIO(), set[Place]()
    with remote(api) as mappings:
        asked = zones_asked_for(mappings, zones, print_same_name)
        with Reading(len(asked)) as reading:
            found = snapshot(mappings, asked, Selection(only), reading.on_zone)
            states = _states(found, document, unknown, empty=bool(zones))
            if form != "csv" and not only:
                states = _with_pools(states, asked, mappings)
            WRITERS[form](states, text)
        if unknown:
            unknown -= mappings.own_regions().by_place().keys()
    write_out(out, [text.getvalue()])
    if unknown:
        listed = ", ".join(sorted(map(shown, unknown)))
        click.echo(f"not in the catalogue: {listed}; plan this with --any-region", err=True)


def _states(
    found: Iterator[ExportedZone], document: Document, unknown: set[Place], *, empty: bool
) -> Iterator[ZoneState]:
    """The zones as they are written; puts the places that the catalogue lacks into `unknown`."""
    catalogue = data.catalogue()
    for zone in found:
        unknown |= {place for place in set(zone.mappings.values()) if not catalogue.knows(*place)}
        if zone.mappings or empty:
            yield ZoneState(zone.name, zone.mappings, _comments(document, zone))


def _with_pools(
    states: Iterable[ZoneState], zones: Iterable[RemoteZone], mappings: RemoteMappings
) -> Iterator[ZoneState]:
    """The same with the pools, if the server has pools."""
    ids = {zone.name: zone.id for zone in zones}
    for state in states:
        try:
            yield replace(state, pools=mappings.pools(ids[state.zone]))
        except NoPools:
            yield state


def _comments(document: Document, zone: ExportedZone) -> dict[Address, str]:
    name = lookup_name(zone.name)
    entries = (
        entry for key, entry in document.zones.items() if lookup_name(key) in (name, zone.id)
    )
    return {
        address: wanted.comment
        for entry in entries
        for address, wanted in entry.origins.items()
        if wanted.comment
    }

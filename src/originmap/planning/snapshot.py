"""Reads the live mappings of the requested zones, for dump and export."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from originmap.client.mappings import RemoteMappings, RemoteZone
from originmap.domain.plan.selection import Selection
from originmap.domain.zone.name import lookup_name
from originmap.mapfile.terraform import ExportedZone

_ID = re.compile("[0-9a-f]{32}")


def zones_asked_for(
    remote: RemoteMappings,
    named: Sequence[str],
    on_same_name: Callable[[str], None] = lambda name: None,
) -> list[RemoteZone]:
    """The zones with these IDs or names, or all zones, sorted by name. Those with the same name, in
    different accounts, are called by their IDs; `on_same_name` is called with each such name.
    Raises ClientError."""
    zones = _zones(remote, named)
    names = Counter(lookup_name(zone.name) for zone in zones)
    for name, count in names.items():
        if count > 1:
            on_same_name(name)
    return [
        zone if names[lookup_name(zone.name)] == 1 else RemoteZone(zone.id, zone.id)
        for zone in zones
    ]


def _zones(remote: RemoteMappings, named: Sequence[str]) -> list[RemoteZone]:
    if not named:
        return remote.zones()
    keys = [each.lower().rstrip(".") for each in named]
    by_name = remote.zones_named([key for key in keys if not _ID.fullmatch(key)])
    zones = [by_name[key] if key in by_name else remote.zone_of_id(key) for key in keys]
    by_id = {zone.id: zone for zone in zones}  # a zone can be named twice, in different forms
    return sorted(by_id.values(), key=lambda zone: (zone.name, zone.id))


def snapshot(
    remote: RemoteMappings,
    zones: Sequence[RemoteZone],
    selection: Selection,
    on_zone: Callable[[str], None],
) -> Iterator[ExportedZone]:
    """The selected mappings of each zone, read lazily. Raises ClientError."""
    for zone in zones:
        on_zone(zone.name)
        live = remote.mappings(zone.id)
        yield ExportedZone(
            zone.id,
            zone.name,
            {a: place for a, place in live.items() if selection.selects(a, place)},
        )

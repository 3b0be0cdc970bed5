"""What is live, for dump and export: the zones that were asked for, one after another."""

import re
from collections.abc import Callable, Iterator, Sequence

from originmap.client.mappings import RemoteMappings, RemoteZone
from originmap.domain.plan.selection import Selection
from originmap.mapfile.terraform import ExportedZone

_ID = re.compile("[0-9a-f]{32}")


def zones_asked_for(remote: RemoteMappings, named: Sequence[str]) -> list[RemoteZone]:
    """The zones named by id or name, or all there are, by name. Raises ClientError."""
    if not named:
        return remote.zones()
    keys = [each.lower().rstrip(".") for each in named]
    by_name = remote.zones_named([key for key in keys if not _ID.fullmatch(key)])
    found = [by_name[key] if key in by_name else remote.zone_of_id(key) for key in keys]
    return sorted(set(found), key=lambda zone: (zone.name, zone.id))


def snapshot(
    remote: RemoteMappings,
    zones: Sequence[RemoteZone],
    selection: Selection,
    on_zone: Callable[[str], None],
) -> Iterator[ExportedZone]:
    """The selected mappings of each zone, read as it is asked for. Raises ClientError."""
    for zone in zones:
        on_zone(zone.name)
        live = remote.mappings(zone.id)
        yield ExportedZone(
            zone.id,
            zone.name,
            {a: place for a, place in live.items() if selection.selects(a, place)},
        )

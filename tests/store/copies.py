"""A store with some history, and the content of a store."""

from originmap.domain.history.snapshot import History, Part, ZoneMappings
from originmap.domain.mapping import mapping
from originmap.domain.mapping.mapping import Decision, MappingChange, ZoneView
from originmap.store.port import Store
from tests.builders import CAUSE, US_EAST, US_WEST, ZONE_ID, ip, ips, new_zone, remove_zone

OTHER_ID = "f" * 32


async def put(store: Store, text: str, place: mapping.Place = US_EAST) -> None:
    await store.write(ZONE_ID, (ip(text),), mapping.put(ip(text), place), CAUSE)


async def delete(store: Store, text: str) -> None:
    await store.write(ZONE_ID, (ip(text),), mapping.delete(ip(text)), CAUSE)


async def everything(store: Store) -> list[Part]:
    """The parts of a snapshot, each with one mapping: stores choose the size of parts."""
    return [each async for part in store.snapshot() for each in pieces(part)]


def pieces(part: Part) -> list[Part]:
    """Split a part into parts of one mapping or one change."""
    match part:
        case ZoneMappings(zone_id, mappings):
            return [ZoneMappings(zone_id, mappings[i : i + 1]) for i in range(len(mappings))]
        case History(changes):
            return [History(changes[i : i + 1]) for i in range(len(changes))]
    return [part]


async def fill(store: Store, count: int, zone_id: str = ZONE_ID) -> None:
    addresses = ips(count)

    def decide(view: ZoneView) -> Decision[None]:
        return Decision(tuple(MappingChange(a, None, US_EAST) for a in addresses), None)

    await store.write(zone_id, addresses, decide, CAUSE)


async def make_history(store: Store) -> None:
    """Create some history: mappings created, changed and deleted, and a zone created and
    deleted."""
    await fill(store, 5)
    await put(store, "192.0.2.1", US_WEST)
    await delete(store, "10.0.0.3")
    await store.write_records(new_zone(OTHER_ID, "other.example"), CAUSE)
    await fill(store, 3, OTHER_ID)
    await store.write_records(remove_zone(OTHER_ID), CAUSE)
    await put(store, "10.0.0.1", US_WEST)

"""Resolution across many zones."""

import asyncio

from originmap import data
from originmap.domain.mapping import mapping
from originmap.domain.tier.topology import ColoState
from originmap.service.tier.resolve import Resolve
from originmap.service.tier.topology import Topologies
from originmap.store.clock import wall_clock
from originmap.store.memory import MemoryStore
from tests.builders import CAUSE, US_EAST, US_WEST, ip, new_zone, zone

ZONES = 50
ADDRESS = ip("192.0.2.1")


async def test_other_requests_are_served_while_many_zones_are_counted() -> None:
    store = MemoryStore()
    zone_ids = [f"{n:032x}" for n in range(ZONES)]
    for zone_id in zone_ids:
        await store.write_records(new_zone(zone_id, f"{zone_id}.example"), CAUSE)
        place = US_WEST if zone_id == zone_ids[0] else US_EAST
        await store.write(zone_id, (ADDRESS,), mapping.put(ADDRESS, place), CAUSE)
    zones = [zone(zone_id, f"{zone_id}.example") for zone_id in zone_ids]
    resolve = Resolve(store, Topologies(store, data.catalogue(), data.topology(), wall_clock))
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    others = asyncio.ensure_future(count_turns())
    found = await resolve.moves_of_states({"IAD": ColoState.DOWN}, zones)
    others.cancel()
    assert [move.zone_id for move in found] == zone_ids[1:]
    assert turns >= ZONES

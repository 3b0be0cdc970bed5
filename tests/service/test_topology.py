"""When tiers are computed again."""

from dataclasses import replace

from originmap import data
from originmap.domain.mapping import mapping
from originmap.domain.tier.latency import Measurement
from originmap.domain.tier.topology import Topology
from originmap.service.tier.topology import Topologies
from originmap.store.memory import MemoryStore
from tests.builders import CAUSE, US_EAST, ip, new_zone

SECOND = 1_000_000
MINUTE = 60 * SECOND
START = 1_000_000 * MINUTE + 7 * SECOND
WEEK = 7 * 24 * 60 * MINUTE


async def test_measurements_that_expire_in_one_minute_expire_together() -> None:
    now = START
    topologies = Topologies(MemoryStore(), data.catalogue, data.topology(), lambda: now)
    colos = [colo.code for colo in data.topology().colos][:50]
    measured = [
        Measurement(code, "aws", "us-east-1", 1.0, START - WEEK + n * SECOND)
        for n, code in enumerate(colos, 1)
    ]
    await topologies.set_latencies(measured, CAUSE)
    seen = {}
    for second in range(120):
        now = START + second * SECOND
        tiers = topologies.tiers()
        seen[id(tiers)] = tiers
    assert len(seen) == 2


async def test_a_measurement_is_valid_for_less_than_a_minute_longer() -> None:
    now = START
    topologies = Topologies(MemoryStore(), data.catalogue, data.topology(), lambda: now)
    measured = Measurement("SEA", "aws", "us-east-1", 1.0, START - WEEK + SECOND)
    await topologies.set_latencies([measured], CAUSE)
    assert topologies.tiers().codes(US_EAST)[0] == "SEA"
    now = START + MINUTE
    assert topologies.tiers().codes(US_EAST)[0] == "IAD"


async def test_equal_measurements_in_another_order_change_nothing() -> None:
    store = MemoryStore()
    topologies = Topologies(store, data.catalogue, data.topology(), lambda: START)
    pairs = [(code, region) for code in ("SEA", "IAD") for region in ("us-west-2", "us-east-1")]
    measured = [Measurement(code, "aws", region, 1.0, START) for code, region in pairs]
    stored = await topologies.set_latencies(measured, CAUSE)
    assert [(m.colo, m.region) for m in stored.measurements] == sorted(pairs)
    revision = store.revision
    assert await topologies.set_latencies(measured[::-1], CAUSE) is stored
    assert store.revision == revision


async def test_origins_are_counted_if_a_colo_has_a_maximum_share() -> None:
    store = MemoryStore()
    topologies = Topologies(store, data.catalogue, data.topology(), lambda: START)

    async def put(zone_id: str, address: str) -> None:
        address_ = ip(address)
        await store.write(zone_id, (address_,), mapping.put(address_, US_EAST), CAUSE)

    for zone_id in ("1" * 32, "2" * 32):
        await store.write_records(new_zone(zone_id, f"{zone_id}.example"), CAUSE)
        await put(zone_id, "192.0.2.1")
    assert (await topologies.set(data.topology(), CAUSE)).origins == {}
    limited = [replace(c, max_share=50.0) if c.code == "IAD" else c for c in data.hubs()]
    stored = await topologies.set(Topology(tuple(limited)), CAUSE)
    assert stored.origins == {"aws/us-east-1": 2}
    await put("1" * 32, "192.0.2.2")
    assert (await topologies.set(stored, CAUSE)).origins == {"aws/us-east-1": 2}
    counted = await topologies.set(replace(stored, origins={}), CAUSE)
    assert counted.origins == {"aws/us-east-1": 3}

"""When tiers are computed again."""

from originmap import data
from originmap.domain.tier.latency import Measurement
from originmap.service.tier.topology import Topologies
from originmap.store.memory import MemoryStore
from tests.builders import CAUSE, US_EAST

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

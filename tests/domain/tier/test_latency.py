"""Measured latencies: the newest counts, until it expires."""

import math

import pytest

from originmap.domain.errors import InvalidLatencies
from originmap.domain.tier.latency import Latencies, Measurement, check, fresh
from tests.builders import US_EAST, US_WEST

NOW = 1_000_000_000
SECOND = 1_000_000


def _measured(colo: str, ms: float, at: int = NOW, region: str = "us-east-1") -> Measurement:
    return Measurement(colo, "aws", region, ms, at)


def test_the_newest_measurement_of_a_pair_is_used() -> None:
    old, new = _measured("IAD", 5.0, NOW - SECOND), _measured("IAD", 2.0)
    assert check([old, new], NOW) == check([new, old], NOW) == Latencies((new,))


def test_a_measurement_expires() -> None:
    latencies = check([_measured("IAD", 2.0, NOW - 5 * SECOND), _measured("EWR", 3.0)], NOW)
    both = {("IAD", US_EAST): 2.0, ("EWR", US_EAST): 3.0}
    assert fresh(latencies, 10, NOW) == (both, NOW + 5 * SECOND)
    assert fresh(latencies, 10, NOW + 5 * SECOND) == ({("EWR", US_EAST): 3.0}, NOW + 10 * SECOND)
    assert fresh(latencies, 10, NOW + 10 * SECOND) == ({}, None)


def test_regions_are_measured_separately() -> None:
    latencies = check([_measured("IAD", 2.0), _measured("IAD", 60.0, region="us-west-2")], NOW)
    assert fresh(latencies, 10, NOW)[0] == {("IAD", US_EAST): 2.0, ("IAD", US_WEST): 60.0}


@pytest.mark.parametrize("ms", [-1.0, math.nan, math.inf, 60_001.0])
def test_an_invalid_round_trip_time_is_rejected(ms: float) -> None:
    with pytest.raises(InvalidLatencies) as caught:
        check([_measured("IAD", 1.0), _measured("EWR", ms)], NOW)
    assert caught.value.problems == ["measurement 1: milliseconds must be between 0 and 60000"]


def test_a_measurement_in_the_future_is_rejected_with_tolerance() -> None:
    check([_measured("IAD", 1.0, NOW + SECOND)], NOW)
    with pytest.raises(InvalidLatencies, match="future"):
        check([_measured("IAD", 1.0, NOW + 3600 * SECOND)], NOW)

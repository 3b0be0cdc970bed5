"""Retention of history."""

import pytest

from originmap.domain.mapping.mapping import put as put_rule
from originmap.service.history.retention import Retention
from originmap.store.clock import ForwardClock
from originmap.store.memory import MemoryStore
from tests.builders import CAUSE, US_EAST, US_WEST, ZONE_ID, ip, new_zone

DAY = 86_400_000_000


class Clock:
    now = 100 * DAY

    def __call__(self) -> int:
        return self.now


@pytest.fixture
async def store() -> MemoryStore:
    """A change per day, from revision 1 on day 100 to revision 10 on day 109."""
    clock = Clock()
    store = MemoryStore(clock)
    await store.write_records(new_zone(), CAUSE)
    for day in range(101, 110):
        clock.now = day * DAY
        place = US_EAST if day % 2 else US_WEST
        await store.write(ZONE_ID, (ip("::1"),), put_rule(ip("::1"), place), CAUSE)
    return store


async def test_changes_beyond_an_age_are_trimmed(store: MemoryStore) -> None:
    keeper = Retention(store, 3.5, 1_000, lambda: 109 * DAY)
    assert await keeper.forget() == 6
    assert [c.revision for c in await store.changes(0, 100)] == [7, 8, 9, 10]
    assert await keeper.forget() == 0


async def test_changes_beyond_a_number_are_trimmed(store: MemoryStore) -> None:
    await Retention(store, 1_000, 2, lambda: 109 * DAY).forget()
    assert [c.revision for c in await store.changes(0, 100)] == [9, 10]


async def test_changes_within_the_limits_are_kept(store: MemoryStore) -> None:
    assert await Retention(store, 1_000, 10, lambda: 109 * DAY).forget() == 0


async def test_the_last_change_is_kept_at_any_age(store: MemoryStore) -> None:
    ran = Clock()
    keeper = Retention(store, 1, 1_000, lambda: 1_000 * DAY, elapsed=ran)
    ran.now += 891 * DAY
    await keeper.forget()
    assert [c.revision for c in await store.changes(0, 100)] == [10]


async def revisions(store: MemoryStore) -> list[int]:
    return [c.revision for c in await store.changes(0, 100)]


async def put(store: MemoryStore, clock: Clock, day: float) -> None:
    clock.now = int(day * DAY)
    store._clock = ForwardClock(clock, await store.time_of(store.revision) or 0)
    place = US_EAST if store.revision % 2 else US_WEST
    await store.write(ZONE_ID, (ip("::1"),), put_rule(ip("::1"), place), CAUSE)


async def test_a_clock_that_jumps_a_year_trims_nothing(store: MemoryStore) -> None:
    clock, ran = Clock(), Clock()
    clock.now = 109 * DAY
    keeper = Retention(store, 30, 1_000, clock, elapsed=ran)
    await keeper.forget()
    await put(store, clock, 109 + 365)  # after the jump, with a change since
    assert await keeper.forget() == 0
    ran.now += 5 * DAY
    assert await keeper.forget() == 0
    again = Retention(store, 30, 1_000, clock, elapsed=ran)  # after a restart
    assert await again.forget() == 0
    assert await revisions(store) == list(range(1, 12))


async def test_a_clock_that_is_a_year_ahead_at_the_start_trims_nothing(
    store: MemoryStore,
) -> None:
    assert await Retention(store, 30, 1_000, lambda: 474 * DAY).forget() == 0


async def test_changes_age_with_the_uptime_regardless_of_the_clock(
    store: MemoryStore,
) -> None:
    clock, ran = Clock(), Clock()
    keeper = Retention(store, 5, 1_000, clock, elapsed=ran)
    clock.now, ran.now = 474 * DAY, ran.now + 1 * DAY  # it would be day 110
    await keeper.forget()
    assert await revisions(store) == [6, 7, 8, 9, 10]
    clock.now, ran.now = 50 * DAY, ran.now + 1 * DAY
    assert await keeper.forget() == 0
    clock.now = 111 * DAY
    await keeper.forget()
    assert await revisions(store) == [7, 8, 9, 10]


async def test_a_gap_between_the_times_of_two_changes_does_not_count_as_age(
    store: MemoryStore,
) -> None:
    clock, ran = Clock(), Clock()
    await put(store, clock, 474)
    await put(store, clock, 475)
    keeper = Retention(store, 5, 1_000, clock, elapsed=ran)
    await keeper.forget()
    assert await revisions(store) == [5, 6, 7, 8, 9, 10, 11, 12]
    ran.now += 3 * DAY
    await keeper.forget()
    assert await revisions(store) == [8, 9, 10, 11, 12]
    ran.now += 3 * DAY
    await keeper.forget()
    assert (await revisions(store))[-1] == 12


async def test_an_empty_database_has_nothing_to_trim() -> None:
    assert await Retention(MemoryStore(), 1, 1, lambda: DAY).forget() == 0


async def test_changes_since_the_base_of_a_rollout_are_kept_beyond_the_limits(
    store: MemoryStore,
) -> None:
    keeper = Retention(store, 3.5, 2, lambda: 109 * DAY, lambda: 4)
    assert await keeper.forget() == 4
    assert [c.revision for c in await store.changes(0, 100)] == [5, 6, 7, 8, 9, 10]

"""How much history is kept."""

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
    """A change a day, revision 1 on day 100 to revision 10 on day 109."""
    clock = Clock()
    store = MemoryStore(clock)
    await store.write_records(new_zone(), CAUSE)
    for day in range(101, 110):
        clock.now = day * DAY
        place = US_EAST if day % 2 else US_WEST
        await store.write(ZONE_ID, (ip("::1"),), put_rule(ip("::1"), place), CAUSE)
    return store


async def test_changes_beyond_an_age_are_forgotten(store: MemoryStore) -> None:
    keeper = Retention(store, 3.5, 1_000, lambda: 109 * DAY)
    assert await keeper.forget() == 6
    assert [c.revision for c in await store.changes(0, 100)] == [7, 8, 9, 10]
    assert await keeper.forget() == 0


async def test_changes_beyond_a_number_are_forgotten(store: MemoryStore) -> None:
    await Retention(store, 1_000, 2, lambda: 109 * DAY).forget()
    assert [c.revision for c in await store.changes(0, 100)] == [9, 10]


async def test_within_the_limits_nothing_is(store: MemoryStore) -> None:
    assert await Retention(store, 1_000, 10, lambda: 109 * DAY).forget() == 0


async def test_the_last_change_stays_however_old(store: MemoryStore) -> None:
    ran = Clock()
    keeper = Retention(store, 1, 1_000, lambda: 1_000 * DAY, elapsed=ran)
    ran.now += 891 * DAY
    await keeper.forget()
    assert [c.revision for c in await store.changes(0, 100)] == [10]


async def revisions(store: MemoryStore) -> list[int]:
    return [c.revision for c in await store.changes(0, 100)]


async def put(store: MemoryStore, clock: Clock, day: float) -> None:
    clock.now = int(day * DAY)
    store._clock = ForwardClock(clock, store._last_at)
    place = US_EAST if store.revision % 2 else US_WEST
    await store.write(ZONE_ID, (ip("::1"),), put_rule(ip("::1"), place), CAUSE)


async def test_a_clock_that_jumps_a_year_erases_no_history(store: MemoryStore) -> None:
    clock, ran = Clock(), Clock()
    clock.now = 109 * DAY
    keeper = Retention(store, 30, 1_000, clock, elapsed=ran)
    await keeper.forget()
    await put(store, clock, 109 + 365)  # it has jumped, and a change was made since
    assert await keeper.forget() == 0
    ran.now += 5 * DAY
    assert await keeper.forget() == 0
    again = Retention(store, 30, 1_000, clock, elapsed=ran)  # the server is started again
    assert await again.forget() == 0
    assert await revisions(store) == list(range(1, 12))


async def test_a_clock_that_is_a_year_ahead_at_the_start_erases_no_history(
    store: MemoryStore,
) -> None:
    assert await Retention(store, 30, 1_000, lambda: 474 * DAY).forget() == 0


async def test_changes_age_with_the_uptime_of_the_server(
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


async def test_a_gap_that_a_clock_left_between_two_changes_is_no_age(store: MemoryStore) -> None:
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


async def test_an_empty_database_has_nothing_to_forget() -> None:
    assert await Retention(MemoryStore(), 1, 1, lambda: DAY).forget() == 0


async def test_what_a_rollout_may_go_back_to_is_kept_whatever_the_limits(
    store: MemoryStore,
) -> None:
    keeper = Retention(store, 3.5, 2, lambda: 109 * DAY, lambda: 4)
    assert await keeper.forget() == 4
    assert [c.revision for c in await store.changes(0, 100)] == [5, 6, 7, 8, 9, 10]

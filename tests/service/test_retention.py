"""How much history is kept."""

import pytest

from originmap.domain.mapping import put
from originmap.service.retention import Retention
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
        await store.write(ZONE_ID, (ip("::1"),), put(ip("::1"), place), CAUSE)
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
    await Retention(store, 1, 1_000, lambda: 1_000 * DAY).forget()
    assert [c.revision for c in await store.changes(0, 100)] == [10]


async def test_an_empty_database_has_nothing_to_forget() -> None:
    assert await Retention(MemoryStore(), 1, 1, lambda: DAY).forget() == 0


async def test_what_a_rollout_may_go_back_to_is_kept_whatever_the_limits(
    store: MemoryStore,
) -> None:
    keeper = Retention(store, 3.5, 2, lambda: 109 * DAY, lambda: 4)
    assert await keeper.forget() == 4
    assert [c.revision for c in await store.changes(0, 100)] == [5, 6, 7, 8, 9, 10]

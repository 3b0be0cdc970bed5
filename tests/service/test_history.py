"""A zone's past, over a store in memory."""

import asyncio
from collections.abc import Sequence
from typing import TypeVar

import pytest

from originmap.domain.errors import ZoneChanging
from originmap.domain.history.change import Cause, Committed
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Decide, put
from originmap.domain.zone.rules import pause_zone
from originmap.service.history.history import ZoneHistory
from originmap.store.memory import MemoryStore
from tests.builders import CAUSE, US_EAST, US_WEST, ZONE_ID, ip, ips, new_zone

T = TypeVar("T")


class CrowdedStore(MemoryStore):
    """A store in which somebody else adds an address just before each of the next `crowd`
    writes."""

    def __init__(self) -> None:
        super().__init__()
        self.crowd = 0
        self.addresses = iter(ips(100))

    def write(
        self, zone_id: str, addresses: Sequence[Address], decide: Decide[T], cause: Cause
    ) -> asyncio.Future[Committed[T]]:
        if self.crowd:
            self.crowd -= 1
            other = next(self.addresses)
            super().write(zone_id, (other,), put(other, US_EAST), cause)
        return super().write(zone_id, addresses, decide, cause)


@pytest.fixture
async def store() -> CrowdedStore:
    store = CrowdedStore()
    await store.write_records(new_zone(), CAUSE)
    return store


async def test_a_rollback_restarts_after_a_concurrent_write(store: CrowdedStore) -> None:
    before = store.revision
    await store.write(ZONE_ID, (ip("::1"),), put(ip("::1"), US_EAST), CAUSE)
    store.crowd = 4
    done = await ZoneHistory(store).rollback(ZONE_ID, before, CAUSE, dry_run=False)
    assert len(done.changes) == 5
    assert (await store.page(ZONE_ID, 0, 100)).total == 0


async def test_a_rollback_that_gives_up_changes_nothing_and_reports_it(store: CrowdedStore) -> None:
    before = store.revision
    store.crowd = 5
    with pytest.raises(ZoneChanging):
        await ZoneHistory(store).rollback(ZONE_ID, before, CAUSE, dry_run=False)
    assert (await store.page(ZONE_ID, 0, 100)).total == 5


async def test_changes_of_the_zone_itself_do_not_count_among_those_of_its_mappings(
    store: CrowdedStore,
) -> None:
    for place in (US_EAST, US_WEST):
        await store.write(ZONE_ID, (ip("::1"),), put(ip("::1"), place), CAUSE)
        await store.write_records(pause_zone(ZONE_ID, place == US_EAST, 1), CAUSE)
    history = ZoneHistory(store)
    for limit, places in ((1, [US_WEST]), (2, [US_WEST, US_EAST]), (9, [US_WEST, US_EAST])):
        found = await history.of_mappings(ZONE_ID, None, limit)
        assert [what.after for _, what in found] == places
    assert len(await history.changes(ZONE_ID, None, None, 9)) == 5

"""How much of a long history is read for an answer."""

from collections.abc import AsyncIterator

import pytest

from originmap.domain.history.change import Change
from originmap.domain.mapping import mapping
from originmap.service.access.directory import Directory
from originmap.service.history.audit import Audit, AuditEntry, AuditQuery
from originmap.service.history.past_zones import PastZones
from originmap.store.memory import MemoryStore
from tests.builders import CAUSE, US_EAST, US_WEST, ZONE_ID, ip, new_zone

CHANGES = 3000
ADDRESS = ip("192.0.2.1")


class CountingStore(MemoryStore):
    """Counts what is read of its history; its clock moves a second with each change."""

    def __init__(self) -> None:
        super().__init__(lambda: 1_000_000 * (self.revision + 1))
        self.read = 0

    async def changes(self, since: int, limit: int) -> list[Change]:
        found = await super().changes(since, limit)
        self.read += len(found)
        return found

    async def changes_before(self, revision: int, limit: int) -> list[Change]:
        found = await super().changes_before(revision, limit)
        self.read += len(found)
        return found


@pytest.fixture
async def store() -> AsyncIterator[CountingStore]:
    """A zone whose one mapping was changed often; the change N was made at second N."""
    store = CountingStore()
    await store.write_records(new_zone(), CAUSE)
    for turn in range(1, CHANGES):
        place = (US_EAST, US_WEST)[turn % 2]
        await store.write(ZONE_ID, (ADDRESS,), mapping.put(ADDRESS, place), CAUSE)
    yield store
    await store.close()


async def found(
    store: CountingStore, query: AuditQuery, limit: int = 10, at_most: int = 10_000
) -> list[AuditEntry]:
    directory = Directory()
    store.follow_records(directory.apply)
    return await Audit(store, directory, PastZones(store, directory), at_most).entries(
        query, 0, limit
    )


def seconds(entries: list[AuditEntry]) -> list[int]:
    return [entry.at // 1_000_000 for entry in entries]


@pytest.mark.parametrize("before", [2, 3, 700, CHANGES, CHANGES + 1, CHANGES + 2])
async def test_the_audit_log_seeks_directly_to_a_time(store: CountingStore, before: int) -> None:
    entries = await found(store, AuditQuery(before=before * 1_000_000), limit=3)
    last = min(before - 1, CHANGES)
    assert seconds(entries) == list(range(last, 0, -1))[:3]
    assert store.read < 600


async def test_before_the_first_change_nothing_is_found(store: CountingStore) -> None:
    assert await found(store, AuditQuery(before=0)) == []
    assert await found(store, AuditQuery(before=1_000_000)) == []
    assert store.read < 100


async def test_a_filter_that_matches_nothing_ends_where_the_time_ends(
    store: CountingStore,
) -> None:
    query = AuditQuery(since=100_000_000, before=200_000_000, actor_ip="203.0.113.1")
    assert await found(store, query) == []
    assert store.read < 600


async def test_a_search_gives_up_after_a_number_of_changes(store: CountingStore) -> None:
    nobody = AuditQuery(actor_ip="203.0.113.1")
    assert await found(store, nobody, at_most=1000) == []
    assert store.read <= 1000
    assert len(await found(store, AuditQuery(), limit=5000, at_most=1000)) == 1000


async def test_a_change_is_found_by_its_id_however_old(store: CountingStore) -> None:
    (oldest,) = await found(store, AuditQuery(before=2_000_000))
    store.read = 0
    assert await found(store, AuditQuery(id=oldest.id), at_most=1) == [oldest]
    assert store.read == 1


@pytest.mark.parametrize("id_", ["", "-", "1", "x-1", "{epoch}-0", "{epoch}-²", "{epoch}-9999"])
async def test_an_id_that_no_change_has_finds_nothing(store: CountingStore, id_: str) -> None:
    assert await found(store, AuditQuery(id=id_.format(epoch=store.epoch))) == []
    huge = f"{store.epoch}-{10**30}"
    assert await found(store, AuditQuery(id=huge)) == []

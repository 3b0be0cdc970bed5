"""How much of a long history the audit log reads for a query."""

import hashlib
from collections.abc import AsyncIterator

import msgspec
import pytest

from originmap.domain.history.change import Change
from originmap.domain.mapping import mapping
from originmap.domain.tier.latency import Latencies, Measurement
from originmap.domain.tier.topology_rules import set_latencies
from originmap.service.access.directory import Directory
from originmap.service.history.audit import Audit, AuditEntry, AuditQuery
from originmap.service.history.past_zones import PastZones
from originmap.store.memory import MemoryStore
from tests.builders import CAUSE, US_EAST, US_WEST, ZONE_ID, ip, new_zone

CHANGES = 3000
ADDRESS = ip("192.0.2.1")


class CountingStore(MemoryStore):
    """Counts the reads of its history; its clock advances a second with each change."""

    def __init__(self) -> None:
        super().__init__(lambda: 1_000_000 * (self.revision + 1))
        self.read = 0

    async def changes(self, since: int, limit: int) -> list[Change]:
        changes = await super().changes(since, limit)
        self.read += len(changes)
        return changes

    async def changes_before(self, revision: int, limit: int) -> list[Change]:
        changes = await super().changes_before(revision, limit)
        self.read += len(changes)
        return changes


@pytest.fixture
async def store() -> AsyncIterator[CountingStore]:
    """A zone whose only mapping changed often; change N is dated second N."""
    store = CountingStore()
    await store.write_records(new_zone(), CAUSE)
    for turn in range(1, CHANGES):
        place = (US_EAST, US_WEST)[turn % 2]
        await store.write(ZONE_ID, (ADDRESS,), mapping.put(ADDRESS, place), CAUSE)
    yield store
    await store.close()


async def entries_of(
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
async def test_a_query_before_a_time_reads_few_changes(store: CountingStore, before: int) -> None:
    entries = await entries_of(store, AuditQuery(before=before * 1_000_000), limit=3)
    last = min(before - 1, CHANGES)
    assert seconds(entries) == list(range(last, 0, -1))[:3]
    assert store.read < 600


async def test_a_query_before_the_first_change_is_empty(store: CountingStore) -> None:
    assert await entries_of(store, AuditQuery(before=0)) == []
    assert await entries_of(store, AuditQuery(before=1_000_000)) == []
    assert store.read < 100


async def test_a_filter_without_matches_reads_only_the_time_range(
    store: CountingStore,
) -> None:
    query = AuditQuery(since=100_000_000, before=200_000_000, actor_ip="203.0.113.1")
    assert await entries_of(store, query) == []
    assert store.read < 600


async def test_a_query_reads_a_limited_number_of_changes(store: CountingStore) -> None:
    nobody = AuditQuery(actor_ip="203.0.113.1")
    assert await entries_of(store, nobody, at_most=1000) == []
    assert store.read <= 1000
    assert len(await entries_of(store, AuditQuery(), limit=5000, at_most=1000)) == 1000


async def test_an_old_change_is_found_by_its_id(store: CountingStore) -> None:
    (oldest,) = await entries_of(store, AuditQuery(before=2_000_000))
    store.read = 0
    assert await entries_of(store, AuditQuery(id=oldest.id), at_most=1) == [oldest]
    assert store.read == 1


@pytest.mark.parametrize("id_", ["", "-", "1", "x-1", "{epoch}-0", "{epoch}-²", "{epoch}-9999"])
async def test_an_unknown_id_matches_nothing(store: CountingStore, id_: str) -> None:
    assert await entries_of(store, AuditQuery(id=id_.format(epoch=store.epoch))) == []
    huge = f"{store.epoch}-{10**30}"
    assert await entries_of(store, AuditQuery(id=huge)) == []


LATENCIES = 5_000
"""Measurements, which take half a megabyte of JSON."""


def measured(milliseconds: float) -> Latencies:
    """Many measurements."""
    return Latencies(
        tuple(
            Measurement(f"C{number}", "aws", "us-east-1", milliseconds, 1)
            for number in range(LATENCIES)
        )
    )


async def test_a_list_leaves_large_members_out_and_shows_whether_they_differ(
    store: CountingStore,
) -> None:
    for milliseconds in (1, 2):
        await store.write_records(set_latencies(measured(milliseconds)), CAUSE)
    newest, older = await entries_of(store, AuditQuery(), limit=2)
    assert newest.old
    assert newest.new
    assert newest.old == older.new
    assert newest.old != newest.new
    encoded = msgspec.json.encode(measured(2).measurements)
    digest = hashlib.sha256(encoded).hexdigest()[:16]
    assert newest.new == {"measurements": {"omitted_bytes": len(encoded), "sha256": digest}}
    assert len(msgspec.json.encode([newest, older])) < 2_000


async def test_an_entry_found_by_its_id_is_whole(store: CountingStore) -> None:
    await store.write_records(set_latencies(measured(2)), CAUSE)
    (short,) = await entries_of(store, AuditQuery(), limit=1)
    (whole,) = await entries_of(store, AuditQuery(id=short.id))
    assert whole.new == msgspec.to_builtins(measured(2))


@pytest.mark.parametrize(("limit", "largest"), [(100, 4096), (101, 1024), (10_000, 1024)])
async def test_a_long_list_leaves_more_out(store: CountingStore, limit: int, largest: int) -> None:
    one = Measurement("AKL", "aws", "us-east-1", 1, 1)
    count = largest // len(msgspec.json.encode([one]))
    for number in (count, 2 * count):
        await store.write_records(set_latencies(Latencies((one,) * number)), CAUSE)
    omitted, shown = (await entries_of(store, AuditQuery(), limit=limit))[:2]
    assert shown.new == msgspec.to_builtins(Latencies((one,) * count))
    assert "omitted_bytes" in str(omitted.new)

"""Every store as the source of copies, and as a copy."""

from collections.abc import AsyncIterator, Sequence

import pytest

from originmap.domain.errors import MappingNotFound
from originmap.domain.history.change import Cause
from originmap.domain.history.record import Key, Kind, RecordChange
from originmap.domain.history.snapshot import (
    History,
    MappingSelection,
    Part,
    Record,
    SnapshotStart,
    ZoneMappings,
)
from originmap.domain.mapping import mapping
from originmap.domain.mapping.mapping import MappingChange
from originmap.service.feed.digests import digest_of
from originmap.store.memory import MemoryStore
from originmap.store.port import Store
from tests.builders import CAUSE, US_EAST, US_WEST, ZONE_ID, ip, new_zone, zone
from tests.store.copies import OTHER_ID, everything, fill, make_history, put


async def test_a_snapshot_starts_with_its_revision_and_has_everything(store: Store) -> None:
    await put(store, "192.0.2.2")
    await put(store, "192.0.2.1")
    start, record, mappings = [part async for part in store.snapshot()]
    assert isinstance(start, SnapshotStart)
    assert start[:2] == (store.epoch, store.revision)
    assert start.at == (await store.changes(store.revision - 1, 1))[0].at
    assert record == Record(Key(Kind.ZONE, ZONE_ID), zone())
    assert mappings == ZoneMappings(ZONE_ID, (await store.page(ZONE_ID, 0, 10)).mappings)


async def test_a_snapshot_is_of_one_revision_despite_concurrent_writes(store: Store) -> None:
    await put(store, "192.0.2.1")
    parts = store.snapshot()
    start = await anext(parts)
    await put(store, "192.0.2.2")
    await store.write_records(new_zone(OTHER_ID, "other.example"), CAUSE)
    rest = [part async for part in parts]
    assert isinstance(start, SnapshotStart)
    assert start.revision == store.revision - 2
    assert [type(part) for part in rest] == [Record, ZoneMappings]
    assert rest[1].mappings == [await store.get(ZONE_ID, ip("192.0.2.1"))]  # type: ignore[union-attr]


async def test_a_snapshot_has_zones_in_the_order_of_their_ids(store: Store) -> None:
    for zone_id in ("c" * 32, "b" * 32):
        await store.write_records(new_zone(zone_id, f"{zone_id[:9]}.example"), CAUSE)
        await fill(store, 1, zone_id)
    await fill(store, 1)
    parts = await everything(store)
    found = [part.zone_id for part in parts if isinstance(part, ZoneMappings)]
    assert found == [ZONE_ID, "b" * 32, "c" * 32]


async def test_a_selection_has_whole_zones_and_addresses_of_the_others(store: Store) -> None:
    for zone_id in ("b" * 32, "c" * 32, "d" * 32):
        await store.write_records(new_zone(zone_id, f"{zone_id[:9]}.example"), CAUSE)
    for zone_id in (ZONE_ID, "c" * 32, "d" * 32):
        for address in (ip("192.0.2.1"), ip("192.0.2.2")):
            await store.write(zone_id, (address,), mapping.put(address, US_EAST), CAUSE)
    selection = MappingSelection(frozenset({"b" * 32, "c" * 32}), frozenset({ip("192.0.2.2")}))
    found = [part async for part in store.snapshot(selection=selection)]
    assert len(found) == 1 + 4 + 3
    mappings = [part for part in found if isinstance(part, ZoneMappings)]
    whole = (await store.page("c" * 32, 0, 10)).mappings
    one, last = [[await store.get(id_, ip("192.0.2.2"))] for id_ in (ZONE_ID, "d" * 32)]
    assert mappings == [(ZONE_ID, one), ("c" * 32, whole), ("d" * 32, last)]
    nothing = store.snapshot(selection=MappingSelection(frozenset()))
    assert not [part async for part in nothing if isinstance(part, ZoneMappings)]


async def test_a_copy_equals_its_source(store: Store, target: Store) -> None:
    await make_history(store)
    await target.load(store.snapshot())
    assert await everything(target) == await everything(store)
    assert (target.epoch, target.revision) == (store.epoch, store.revision)
    assert (target.is_replica, target.oldest) == (True, store.revision)
    assert await target.changes(0, 100) == []
    assert (await target.page("e" * 32, 0, 10)).mappings == []


async def test_a_copy_with_history_has_the_same_history(store: Store, target: Store) -> None:
    await make_history(store)
    await target.load(store.snapshot(history=True))
    assert await target.changes(0, 100) == await store.changes(0, 100)
    assert (target.oldest, store.oldest) == (0, 0)
    assert await target.changes(0, 100, OTHER_ID) == await store.changes(0, 100, OTHER_ID)


async def test_listeners_get_the_records_of_a_copy(store: Store, target: Store) -> None:
    told: list[RecordChange] = []
    target.follow_records(told.extend)
    told.clear()
    await target.load(store.snapshot())
    old = zone("e" * 32, "old.example")
    assert told == [
        RecordChange(Key(Kind.ZONE, "e" * 32), old, None),
        RecordChange(Key(Kind.ZONE, ZONE_ID), None, zone()),
    ]


async def test_a_truncated_snapshot_leaves_the_content_unchanged(
    store: Store, target: Store
) -> None:
    await make_history(store)
    before = (target.epoch, target.revision, target.is_replica, await everything(target))

    async def broken() -> AsyncIterator[Part]:
        async for part in store.snapshot():
            yield part
        raise ConnectionResetError("cut")

    with pytest.raises(ConnectionResetError):
        await target.load(broken())
    assert (target.epoch, target.revision, target.is_replica) == before[:3]
    assert await everything(target) == before[3]
    await target.write_records(new_zone(), CAUSE)
    await put(target, "192.0.2.1")


async def test_reads_see_the_old_state_while_a_snapshot_is_loaded(
    store: Store, target: Store
) -> None:
    await target.write_records(new_zone(), CAUSE)
    await put(target, "10.0.0.2", US_WEST)
    await make_history(store)
    before = (await target.page(ZONE_ID, 0, 10), await target.get(ZONE_ID, ip("10.0.0.2")))

    async def watched() -> AsyncIterator[Part]:
        async for part in store.snapshot():
            yield part
            seen = (await target.page(ZONE_ID, 0, 10), await target.get(ZONE_ID, ip("10.0.0.2")))
            assert seen == before

    await target.load(watched())
    assert await target.page(ZONE_ID, 0, 10) == await store.page(ZONE_ID, 0, 10)
    old = zone("e" * 32, "old.example")
    assert (await target.page(old.id, 0, 10))[:2] == ([], 0)


async def test_a_promoted_copy_continues_with_its_own_epoch(store: Store, target: Store) -> None:
    await make_history(store)
    await target.load(store.snapshot())
    await target.promote()
    assert (target.is_replica, target.epoch == store.epoch) == (False, False)
    await put(target, "192.0.2.77")
    (change,) = await target.changes(store.revision, 10)
    assert change.revision == store.revision + 1
    assert change.at > (await store.changes(store.revision - 1, 1))[0].at


async def test_commit_listeners_are_called_once_changes_can_be_read(
    store: Store, target: Store
) -> None:
    seen: list[int] = []
    store.follow_commits(lambda: seen.append(store.revision))
    await put(store, "192.0.2.1")
    await put(store, "192.0.2.1")  # changes nothing
    await store.write_records(new_zone(OTHER_ID, "other.example"), CAUSE)
    assert [n for n in dict.fromkeys(seen) if n > 1] == [2, 3]
    copied: list[int] = []
    target.follow_commits(lambda: copied.append(target.revision))
    await target.load(store.snapshot())
    await put(store, "192.0.2.2")
    await target.apply(await store.changes(3, 10))
    assert copied == [3, 4]


async def test_changes_can_be_limited_to_one_zone(store: Store) -> None:
    await make_history(store)
    everything = await store.changes(0, 100)
    of_other = [change for change in everything if change.zone_id == OTHER_ID]
    assert await store.changes(0, 100, OTHER_ID) == of_other
    assert await store.changes(of_other[0].revision, 2, OTHER_ID) == of_other[1:3]
    assert await store.changes_before(1000, 100, OTHER_ID) == of_other[::-1]
    assert await store.changes(0, 100, "no such zone") == []


async def test_changes_can_be_limited_to_one_address(store: Store) -> None:
    await make_history(store)
    found = await store.changes_before(1000, 10, ZONE_ID, ip("10.0.0.1"))
    assert [change.what for change in found] == [
        MappingChange(ip("10.0.0.1"), US_EAST, US_WEST),
        MappingChange(ip("10.0.0.1"), None, US_EAST),
    ]
    assert await store.changes_before(found[0].revision, 1, ZONE_ID, ip("10.0.0.1")) == found[1:]


async def test_the_oldest_history_is_trimmed(store: Store) -> None:
    await make_history(store)
    kept = await store.changes(4, 100)
    assert await store.forget(4, 3) == 3
    assert await store.forget(4, 3) == 1
    assert await store.forget(4, 3) == 0
    assert (store.oldest, store.revision) == (4, kept[-1].revision)
    assert await store.changes(0, 100) == kept
    assert await store.changes_before(1000, 100) == kept[::-1]


async def test_the_last_change_is_never_trimmed(store: Store) -> None:
    await make_history(store)
    await store.forget(10_000, 10_000)
    (last,) = await store.changes(0, 100)
    assert (last.revision, store.oldest) == (store.revision, store.revision - 1)


async def test_a_copy_of_a_database_with_trimmed_history(store: Store, target: Store) -> None:
    await make_history(store)
    await store.forget(5, 100)
    await target.load(store.snapshot(history=True))
    assert target.oldest == 5
    assert await target.changes(0, 100) == await store.changes(0, 100)


async def test_the_time_of_each_change_of_the_history_is_known(store: Store, target: Store) -> None:
    await make_history(store)
    changes = await store.changes(0, 100)
    assert [await store.time_of(c.revision) for c in changes] == [c.at for c in changes]
    assert await store.time_of(0) is None
    assert await store.time_of(store.revision + 1) is None
    await target.load(store.snapshot())
    assert await target.time_of(target.revision) == changes[-1].at
    assert await target.time_of(target.revision - 1) is None
    await store.forget(4, 100)
    assert await store.time_of(4) is None
    assert await store.time_of(5) == changes[4].at
    await target.load(store.snapshot(history=True))
    assert [await target.time_of(c.revision) for c in changes[4:]] == [c.at for c in changes[4:]]


async def test_a_copy_of_a_restored_database_replaces_one_with_the_same_revision(
    store: Store, target: Store
) -> None:
    restored, commits, seen = MemoryStore(), list[int](), set[Key]()
    await restored.load(store.snapshot())
    await store.write_records(new_zone("b" * 32, "lost.example"), CAUSE)
    await restored.write_records(new_zone("c" * 32, "restored.example"), CAUSE)
    assert (store.epoch, store.revision) == (restored.epoch, restored.revision)
    await target.load(store.snapshot())
    before = target.generation
    await target.apply([])
    assert target.generation == before
    target.follow_records(lambda changes: _follow(changes, seen))
    target.follow_commits(lambda: commits.append(target.generation))
    for copied in (restored, store, restored):
        await target.load(copied.snapshot())
        parts = [part async for part in copied.snapshot()]
        zones = {p.key for p in parts if isinstance(p, Record) and p.key.kind is Kind.ZONE}
        assert {key for key in seen if key.kind is Kind.ZONE} == zones
    assert commits[-1] == target.generation > before
    assert len(set(commits)) == 3


async def test_listeners_get_the_records_of_a_copy_that_repairs_a_damaged_one(
    store: Store, target: Store
) -> None:
    async def damaged() -> AsyncIterator[Part]:
        async for part in store.snapshot():
            if isinstance(part, Record) and part.key.kind is Kind.ZONE:
                part = Record(part.key, zone(name="damaged.example"))
            yield part

    await target.load(damaged())
    names = list[str]()
    target.follow_records(lambda changes: names.extend(c.after.name for c in changes if c.after))
    assert names == ["damaged.example"]
    await target.load(store.snapshot())
    assert names == ["damaged.example", "example.com"]


def _follow(changes: Sequence[RecordChange], seen: set[Key]) -> None:
    for change in changes:
        (seen.discard if change.after is None else seen.add)(change.key)


async def test_the_queue_is_counted(store: Store) -> None:
    before = store.queue
    await put(store, "192.0.2.1")
    assert store.queue.waiting == 0
    assert store.queue.writes == before.writes + 1


async def test_the_history_is_complete_when_read_in_portions(store: Store) -> None:
    await make_history(store)
    history = [part async for part in store.snapshot(history=True) if isinstance(part, History)]
    joined = [change for part in history for change in part.changes]
    assert joined == await store.changes(0, 100)
    assert joined[-1].cause == Cause("credential", "192.0.2.200", "ray")


async def test_writes_can_be_rejected_while_copying_works(store: Store, target: Store) -> None:
    target.refuse_writes(MappingNotFound())
    await target.load(store.snapshot())
    await put(store, "192.0.2.1")
    await target.apply(await store.changes(target.revision, 10))
    with pytest.raises(MappingNotFound):
        await put(target, "192.0.2.2")
    with pytest.raises(MappingNotFound):
        await target.write_records(new_zone(OTHER_ID, "other.example"), CAUSE)
    assert await everything(target) == await everything(store)


async def test_a_copy_has_the_digest_of_its_source_at_every_revision(
    store: Store, target: Store
) -> None:
    await target.load(store.snapshot(history=True))
    empty = await digest_of(store)
    assert await digest_of(target) == empty
    await make_history(store)
    now = await digest_of(store)
    assert now != empty
    await target.apply(await store.changes(target.revision, 100))
    assert await digest_of(target) == now
    assert await digest_of(target, 1) == empty
    assert await digest_of(target, store.revision + 1) is None

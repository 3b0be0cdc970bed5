"""What every store does as the source of copies, and as a copy."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from originmap.domain.errors import BrokenFeed, MappingNotFound
from originmap.domain.history.change import Cause
from originmap.domain.history.edge_form import hidden
from originmap.domain.history.record import Key, Kind, RecordChange
from originmap.domain.history.snapshot import History, Part, Record, SnapshotStart, ZoneMappings
from originmap.domain.mapping import mapping
from originmap.domain.mapping.mapping import Decision, MappingChange, ZoneView
from originmap.service.access.directory import Directory
from originmap.service.feed.digests import digest_of
from originmap.store.memory import MemoryStore
from originmap.store.port import Store
from tests.builders import CAUSE, US_EAST, US_WEST, ZONE_ID, ip, ips, new_zone, remove_zone, zone
from tests.store.conftest import KINDS, Clock, maker

OTHER_ID = "f" * 32


@pytest.fixture(params=KINDS)
async def target(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Clock
) -> AsyncIterator[Store]:
    """Another store, with a zone of its own, which a copy replaces."""
    folder = tmp_path / "target"
    folder.mkdir()
    store = await maker(request, folder, clock)()
    await store.write_records(new_zone("e" * 32, "old.example"), CAUSE)
    yield store
    await store.close()


async def _put(store: Store, text: str, place: mapping.Place = US_EAST) -> None:
    await store.write(ZONE_ID, (ip(text),), mapping.put(ip(text), place), CAUSE)


async def _delete(store: Store, text: str) -> None:
    await store.write(ZONE_ID, (ip(text),), mapping.delete(ip(text)), CAUSE)


async def _everything(store: Store) -> list[Part]:
    """Each mapping by itself: how many a part has is left to the store."""
    return [each async for part in store.snapshot() for each in _pieces(part)]


def _pieces(part: Part) -> list[Part]:
    """The same in parts of one mapping or change each."""
    match part:
        case ZoneMappings(zone_id, mappings):
            return [ZoneMappings(zone_id, mappings[i : i + 1]) for i in range(len(mappings))]
        case History(changes):
            return [History(changes[i : i + 1]) for i in range(len(changes))]
    return [part]


async def _fill(store: Store, count: int, zone_id: str = ZONE_ID) -> None:
    addresses = ips(count)

    def decide(view: ZoneView) -> Decision[None]:
        return Decision(tuple(MappingChange(a, None, US_EAST) for a in addresses), None)

    await store.write(zone_id, addresses, decide, CAUSE)


async def _lived_in(store: Store) -> None:
    """Some history: mappings made, changed and gone, and a zone that came and went."""
    await _fill(store, 5)
    await _put(store, "192.0.2.1", US_WEST)
    await _delete(store, "10.0.0.3")
    await store.write_records(new_zone(OTHER_ID, "other.example"), CAUSE)
    await _fill(store, 3, OTHER_ID)
    await store.write_records(remove_zone(OTHER_ID), CAUSE)
    await _put(store, "10.0.0.1", US_WEST)


async def test_a_snapshot_starts_with_its_revision_and_has_everything(store: Store) -> None:
    await _put(store, "192.0.2.2")
    await _put(store, "192.0.2.1")
    start, record, mappings = [part async for part in store.snapshot()]
    assert isinstance(start, SnapshotStart)
    assert start[:2] == (store.epoch, store.revision)
    assert start.at == (await store.changes(store.revision - 1, 1))[0].at
    assert record == Record(Key(Kind.ZONE, ZONE_ID), zone())
    assert mappings == ZoneMappings(ZONE_ID, (await store.page(ZONE_ID, 0, 10)).mappings)


async def test_a_snapshot_is_of_one_revision_whatever_is_written_meanwhile(store: Store) -> None:
    await _put(store, "192.0.2.1")
    parts = store.snapshot()
    start = await anext(parts)
    await _put(store, "192.0.2.2")
    await store.write_records(new_zone(OTHER_ID, "other.example"), CAUSE)
    rest = [part async for part in parts]
    assert isinstance(start, SnapshotStart)
    assert start.revision == store.revision - 2
    assert [type(part) for part in rest] == [Record, ZoneMappings]
    assert rest[1].mappings == [await store.get(ZONE_ID, ip("192.0.2.1"))]  # type: ignore[union-attr]


async def test_a_snapshot_has_zones_in_the_order_of_their_ids(store: Store) -> None:
    for zone_id in ("c" * 32, "b" * 32):
        await store.write_records(new_zone(zone_id, f"{zone_id[:9]}.example"), CAUSE)
        await _fill(store, 1, zone_id)
    await _fill(store, 1)
    parts = await _everything(store)
    found = [part.zone_id for part in parts if isinstance(part, ZoneMappings)]
    assert found == [ZONE_ID, "b" * 32, "c" * 32]


async def test_a_copy_equals_its_source(store: Store, target: Store) -> None:
    await _lived_in(store)
    await target.load(store.snapshot())
    assert await _everything(target) == await _everything(store)
    assert (target.epoch, target.revision) == (store.epoch, store.revision)
    assert (target.is_replica, target.oldest) == (True, store.revision)
    assert await target.changes(0, 100) == []
    assert (await target.page("e" * 32, 0, 10)).mappings == []


async def test_a_copy_with_history_has_that_too(store: Store, target: Store) -> None:
    await _lived_in(store)
    await target.load(store.snapshot(history=True))
    assert await target.changes(0, 100) == await store.changes(0, 100)
    assert (target.oldest, store.oldest) == (0, 0)
    assert await target.changes(0, 100, OTHER_ID) == await store.changes(0, 100, OTHER_ID)


async def test_record_changes_of_a_copy_are_published(store: Store, target: Store) -> None:
    told: list[RecordChange] = []
    target.follow_records(told.extend)
    told.clear()
    await target.load(store.snapshot())
    old = zone("e" * 32, "old.example")
    assert told == [
        RecordChange(Key(Kind.ZONE, "e" * 32), old, None),
        RecordChange(Key(Kind.ZONE, ZONE_ID), None, zone()),
    ]


async def test_a_truncated_snapshot_changes_nothing(store: Store, target: Store) -> None:
    await _lived_in(store)
    before = (target.epoch, target.revision, target.is_replica, await _everything(target))

    async def broken() -> AsyncIterator[Part]:
        async for part in store.snapshot():
            yield part
        raise ConnectionResetError("cut")

    with pytest.raises(ConnectionResetError):
        await target.load(broken())
    assert (target.epoch, target.revision, target.is_replica) == before[:3]
    assert await _everything(target) == before[3]
    await target.write_records(new_zone(), CAUSE)
    await _put(target, "192.0.2.1")


async def test_while_a_snapshot_comes_in_the_old_state_is_read(store: Store, target: Store) -> None:
    await target.write_records(new_zone(), CAUSE)
    await _put(target, "10.0.0.2", US_WEST)
    await _lived_in(store)
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


async def test_changes_applied_in_any_portions_make_a_copy(store: Store, target: Store) -> None:
    await target.load(store.snapshot())
    await _lived_in(store)
    while portion := await store.changes(target.revision, 4):
        await target.apply(portion)
    assert await _everything(target) == await _everything(store)
    assert await target.changes(1, 100) == await store.changes(1, 100)
    assert (await target.page(ZONE_ID, 0, 10)).total == (await store.page(ZONE_ID, 0, 10)).total


async def test_a_gap_in_the_changes_is_refused(store: Store, target: Store) -> None:
    await target.load(store.snapshot())
    await _lived_in(store)
    revision = target.revision
    with pytest.raises(BrokenFeed):
        await target.apply(await store.changes(revision + 1, 4))
    assert target.revision == revision
    await target.apply(await store.changes(revision, 100))
    assert target.revision == store.revision


async def test_changes_that_are_hidden_advance_the_revision_and_the_time_alone(
    store: Store, target: Store
) -> None:
    await target.load(store.snapshot())
    before = await _everything(target)
    await _lived_in(store)
    changes = [hidden(c) for c in await store.changes(target.revision, 100)]
    since = target.revision
    for change in changes:
        await target.apply([change])
    assert target.revision == store.revision
    assert await target.changes(since, 100) == changes
    found = await _everything(target)
    assert found[1:] == before[1:]
    start, *_ = found
    assert isinstance(start, SnapshotStart)
    assert start.at == changes[-1].at
    copy = MemoryStore()
    await copy.load(target.snapshot(history=True))
    assert await copy.changes(since, 100) == changes


async def test_changes_that_were_applied_already_are_refused(store: Store, target: Store) -> None:
    await target.load(store.snapshot())
    await _lived_in(store)
    changes = await store.changes(target.revision, 100)
    await target.apply(changes)
    with pytest.raises(BrokenFeed):
        await target.apply(changes)
    assert target.writable
    assert await _everything(target) == await _everything(store)


async def test_thousands_of_changes_at_once_make_a_copy(store: Store, target: Store) -> None:
    await target.load(store.snapshot())
    await store.write_records(new_zone(OTHER_ID, "other.example"), CAUSE)
    await _fill(store, 900)
    await _fill(store, 900, OTHER_ID)
    for text in ("10.0.0.1", "10.0.0.2"):  # one of those that come goes, one comes again
        await _delete(store, text)
    await _put(store, "10.0.0.1", US_WEST)
    await _put(store, "10.0.0.1", US_EAST)
    await store.write_records(remove_zone(OTHER_ID), CAUSE)
    await target.apply(await store.changes(target.revision, 10_000))
    assert await _everything(target) == await _everything(store)
    assert await target.changes(1, 10_000) == await store.changes(1, 10_000)
    assert (await target.page(ZONE_ID, 0, 1)).total == 899


async def test_a_copy_of_a_copy_that_has_half_of_a_request(store: Store, target: Store) -> None:
    await _fill(store, 5)
    changes = await store.changes(0, 100)
    half = MemoryStore()
    await half.apply(changes[:3])
    await target.load(half.snapshot())
    await target.apply(changes[3:])
    assert await target.changes(3, 100) == changes[3:]
    assert (await target.page(ZONE_ID, 0, 10)).total == 5


async def test_a_zone_that_comes_again_under_its_id_is_empty(store: Store, target: Store) -> None:
    await target.load(store.snapshot())
    await _fill(store, 3)
    await store.write_records(remove_zone(), CAUSE)
    await store.write_records(new_zone(), CAUSE)
    assert (await store.page(ZONE_ID, 0, 10))[:2] == ([], 0)
    await _put(store, "10.0.0.1", US_WEST)
    await target.apply(await store.changes(target.revision, 100))
    assert await _everything(target) == await _everything(store)
    assert (await target.page(ZONE_ID, 0, 10)).total == 1


async def test_a_promoted_copy_goes_on_under_its_own_name(store: Store, target: Store) -> None:
    await _lived_in(store)
    await target.load(store.snapshot())
    await target.promote()
    assert (target.is_replica, target.epoch == store.epoch) == (False, False)
    await _put(target, "192.0.2.77")
    (change,) = await target.changes(store.revision, 10)
    assert change.revision == store.revision + 1
    assert change.at > (await store.changes(store.revision - 1, 1))[0].at


async def test_commits_are_announced_once_they_can_be_read(store: Store, target: Store) -> None:
    seen: list[int] = []
    store.follow_commits(lambda: seen.append(store.revision))
    await _put(store, "192.0.2.1")
    await _put(store, "192.0.2.1")  # changes nothing
    await store.write_records(new_zone(OTHER_ID, "other.example"), CAUSE)
    assert [n for n in dict.fromkeys(seen) if n > 1] == [2, 3]
    copied: list[int] = []
    target.follow_commits(lambda: copied.append(target.revision))
    await target.load(store.snapshot())
    await _put(store, "192.0.2.2")
    await target.apply(await store.changes(3, 10))
    assert copied == [3, 4]


async def test_the_changes_of_one_zone(store: Store) -> None:
    await _lived_in(store)
    everything = await store.changes(0, 100)
    of_other = [change for change in everything if change.zone_id == OTHER_ID]
    assert await store.changes(0, 100, OTHER_ID) == of_other
    assert await store.changes(of_other[0].revision, 2, OTHER_ID) == of_other[1:3]
    assert await store.changes_before(1000, 100, OTHER_ID) == of_other[::-1]
    assert await store.changes(0, 100, "no such zone") == []


async def test_the_changes_of_one_address(store: Store) -> None:
    await _lived_in(store)
    found = await store.changes_before(1000, 10, ZONE_ID, ip("10.0.0.1"))
    assert [change.what for change in found] == [
        MappingChange(ip("10.0.0.1"), US_EAST, US_WEST),
        MappingChange(ip("10.0.0.1"), None, US_EAST),
    ]
    assert await store.changes_before(found[0].revision, 1, ZONE_ID, ip("10.0.0.1")) == found[1:]


async def test_the_oldest_history_is_forgotten(store: Store) -> None:
    await _lived_in(store)
    kept = await store.changes(4, 100)
    assert await store.forget(4, 3) == 3
    assert await store.forget(4, 3) == 1
    assert await store.forget(4, 3) == 0
    assert (store.oldest, store.revision) == (4, kept[-1].revision)
    assert await store.changes(0, 100) == kept
    assert await store.changes_before(1000, 100) == kept[::-1]


async def test_the_last_change_is_never_forgotten(store: Store) -> None:
    await _lived_in(store)
    await store.forget(10_000, 10_000)
    (last,) = await store.changes(0, 100)
    assert (last.revision, store.oldest) == (store.revision, store.revision - 1)


async def test_a_copy_of_a_database_that_forgot(store: Store, target: Store) -> None:
    await _lived_in(store)
    await store.forget(5, 100)
    await target.load(store.snapshot(history=True))
    assert target.oldest == 5
    assert await target.changes(0, 100) == await store.changes(0, 100)


async def test_the_queue_counts(store: Store) -> None:
    before = store.queue
    await _put(store, "192.0.2.1")
    assert store.queue.waiting == 0
    assert store.queue.writes == before.writes + 1


async def test_history_comes_in_portions_that_join(store: Store) -> None:
    await _lived_in(store)
    history = [part async for part in store.snapshot(history=True) if isinstance(part, History)]
    joined = [change for part in history for change in part.changes]
    assert joined == await store.changes(0, 100)
    assert joined[-1].cause == Cause("credential", "192.0.2.200", "ray")


async def test_writes_can_be_refused_while_copying_goes_on(store: Store, target: Store) -> None:
    target.refuse_writes(MappingNotFound())
    await target.load(store.snapshot())
    await _put(store, "192.0.2.1")
    await target.apply(await store.changes(target.revision, 10))
    with pytest.raises(MappingNotFound):
        await _put(target, "192.0.2.2")
    with pytest.raises(MappingNotFound):
        await target.write_records(new_zone(OTHER_ID, "other.example"), CAUSE)
    assert await _everything(target) == await _everything(store)


async def test_zones_that_swap_names_are_published_in_a_followable_order(
    store: Store, target: Store
) -> None:
    await store.write_records(new_zone(OTHER_ID, "other.example"), CAUSE)
    await target.write_records(new_zone(ZONE_ID, "other.example"), CAUSE)
    await target.write_records(new_zone(OTHER_ID, "example.com"), CAUSE)
    directory = Directory()
    target.follow_records(directory.apply)
    await target.load(store.snapshot())
    assert directory.zone_id("example.com") == ZONE_ID
    assert directory.zone_id("other.example") == OTHER_ID


def _put_of(before: mapping.Place | None, after: mapping.Place | None) -> MappingChange:
    return MappingChange(ip("192.0.2.1"), before, after)


@pytest.mark.parametrize(
    "what",
    [_put_of(None, US_WEST), _put_of(US_WEST, US_EAST), _put_of(US_WEST, None)],
    ids=["that was new", "that was elsewhere", "that goes from elsewhere"],
)
async def test_a_change_of_a_mapping_that_is_not_stored_so_is_refused(
    store: Store, target: Store, what: MappingChange
) -> None:
    await _put(store, "192.0.2.1")
    await target.load(store.snapshot())
    (last,) = await store.changes(store.revision - 1, 1)
    change = last._replace(revision=store.revision + 1, at=last.at + 1, what=what)
    with pytest.raises(BrokenFeed, match="stored here"):
        await target.apply([change])
    assert await _everything(target) == await _everything(store)
    assert target.writable
    await target.apply([change._replace(what=_put_of(US_EAST, US_WEST))])


async def test_changes_of_records_that_are_not_stored_so_are_refused(
    store: Store, target: Store
) -> None:
    await target.load(store.snapshot())
    (last,) = await store.changes(store.revision - 1, 1)
    key, other = Key(Kind.ZONE, ZONE_ID), zone(OTHER_ID, "other.example")
    for what in (
        RecordChange(key, zone(ZONE_ID, "another.example"), None),
        RecordChange(key, None, zone()),
        RecordChange(Key(Kind.ZONE, OTHER_ID), other, None),
    ):
        change = last._replace(revision=2, at=last.at + 1, zone_id=what.key.id, what=what)
        with pytest.raises(BrokenFeed):
            await target.apply([change])
    assert await _everything(target) == await _everything(store)
    assert target.writable


async def test_a_zone_that_goes_with_mappings_that_the_primary_has_not_is_refused(
    store: Store, target: Store
) -> None:
    await _put(store, "192.0.2.1")
    await target.load(store.snapshot())
    (last,) = await store.changes(store.revision - 1, 1)
    gone = RecordChange(Key(Kind.ZONE, ZONE_ID), zone(), None)
    with pytest.raises(BrokenFeed, match="other mappings"):
        await target.apply([last._replace(revision=3, at=last.at + 1, what=gone)])
    assert await _everything(target) == await _everything(store)


async def test_two_zones_of_one_name_are_the_fault_of_the_feed(store: Store, target: Store) -> None:
    if isinstance(target, MemoryStore):
        return  # it has no database that would refuse them
    await target.load(store.snapshot())
    (last,) = await store.changes(store.revision - 1, 1)
    twin = RecordChange(Key(Kind.ZONE, OTHER_ID), None, zone(OTHER_ID))
    change = last._replace(revision=2, at=last.at + 1, zone_id=OTHER_ID, what=twin)
    with pytest.raises(BrokenFeed):
        await target.apply([change])
    assert target.writable
    assert await _everything(target) == await _everything(store)


async def test_a_copy_has_the_digest_of_its_source_at_every_revision(
    store: Store, target: Store
) -> None:
    await target.load(store.snapshot(history=True))
    empty = await digest_of(store)
    assert await digest_of(target) == empty
    await _lived_in(store)
    now = await digest_of(store)
    assert now != empty
    await target.apply(await store.changes(target.revision, 100))
    assert await digest_of(target) == now
    assert await digest_of(target, 1) == empty
    assert await digest_of(target, store.revision + 1) is None

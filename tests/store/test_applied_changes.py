"""Changes of a feed, applied to every store."""

import pytest

from originmap.domain.errors import BrokenFeed
from originmap.domain.history.edge_form import hidden
from originmap.domain.history.record import Key, Kind, RecordChange
from originmap.domain.history.snapshot import SnapshotStart
from originmap.domain.mapping import mapping
from originmap.domain.mapping.mapping import MappingChange
from originmap.service.access.directory import Directory
from originmap.store.memory import MemoryStore
from originmap.store.port import Store
from tests.builders import CAUSE, US_EAST, US_WEST, ZONE_ID, ip, new_zone, remove_zone, zone
from tests.store.copies import OTHER_ID, delete, everything, fill, make_history, put


async def test_changes_applied_in_portions_of_any_size_make_a_copy(
    store: Store, target: Store
) -> None:
    await target.load(store.snapshot())
    await make_history(store)
    while portion := await store.changes(target.revision, 4):
        await target.apply(portion)
    assert await everything(target) == await everything(store)
    assert await target.changes(1, 100) == await store.changes(1, 100)
    assert (await target.page(ZONE_ID, 0, 10)).total == (await store.page(ZONE_ID, 0, 10)).total


async def test_a_gap_in_the_changes_is_rejected(store: Store, target: Store) -> None:
    await target.load(store.snapshot())
    await make_history(store)
    revision = target.revision
    with pytest.raises(BrokenFeed):
        await target.apply(await store.changes(revision + 1, 4))
    assert target.revision == revision
    await target.apply(await store.changes(revision, 100))
    assert target.revision == store.revision


async def test_hidden_changes_only_advance_the_revision_and_the_time(
    store: Store, target: Store
) -> None:
    await target.load(store.snapshot())
    before = await everything(target)
    await make_history(store)
    changes = [hidden(c) for c in await store.changes(target.revision, 100)]
    since = target.revision
    for change in changes:
        await target.apply([change])
    assert target.revision == store.revision
    assert await target.changes(since, 100) == changes
    assert [await target.time_of(c.revision) for c in changes] == [c.at for c in changes]
    found = await everything(target)
    assert found[1:] == before[1:]
    start, *_ = found
    assert isinstance(start, SnapshotStart)
    assert start.at == changes[-1].at
    copy = MemoryStore()
    await copy.load(target.snapshot(history=True))
    assert await copy.changes(since, 100) == changes


async def test_changes_that_were_already_applied_are_rejected(store: Store, target: Store) -> None:
    await target.load(store.snapshot())
    await make_history(store)
    changes = await store.changes(target.revision, 100)
    await target.apply(changes)
    with pytest.raises(BrokenFeed):
        await target.apply(changes)
    assert target.writable
    assert await everything(target) == await everything(store)


async def test_thousands_of_changes_at_once_make_a_copy(store: Store, target: Store) -> None:
    await target.load(store.snapshot())
    await store.write_records(new_zone(OTHER_ID, "other.example"), CAUSE)
    await fill(store, 900)
    await fill(store, 900, OTHER_ID)
    for text in ("10.0.0.1", "10.0.0.2"):  # one new address is deleted, one is added again
        await delete(store, text)
    await put(store, "10.0.0.1", US_WEST)
    await put(store, "10.0.0.1", US_EAST)
    await store.write_records(remove_zone(OTHER_ID), CAUSE)
    await target.apply(await store.changes(target.revision, 10_000))
    assert await everything(target) == await everything(store)
    assert await target.changes(1, 10_000) == await store.changes(1, 10_000)
    assert (await target.page(ZONE_ID, 0, 1)).total == 899


async def test_a_copy_of_a_copy_with_half_of_a_request(store: Store, target: Store) -> None:
    await fill(store, 5)
    changes = await store.changes(0, 100)
    half = MemoryStore()
    await half.apply(changes[:3])
    await target.load(half.snapshot())
    await target.apply(changes[3:])
    assert await target.changes(3, 100) == changes[3:]
    assert (await target.page(ZONE_ID, 0, 10)).total == 5


async def test_a_zone_that_is_created_again_with_its_id_is_empty(
    store: Store, target: Store
) -> None:
    await target.load(store.snapshot())
    await fill(store, 3)
    await store.write_records(remove_zone(), CAUSE)
    await store.write_records(new_zone(), CAUSE)
    assert (await store.page(ZONE_ID, 0, 10))[:2] == ([], 0)
    await put(store, "10.0.0.1", US_WEST)
    await target.apply(await store.changes(target.revision, 100))
    assert await everything(target) == await everything(store)
    assert (await target.page(ZONE_ID, 0, 10)).total == 1


async def test_listeners_get_zones_that_exchanged_names_in_a_usable_order(
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
async def test_a_change_of_a_mapping_with_another_stored_value_is_rejected(
    store: Store, target: Store, what: MappingChange
) -> None:
    await put(store, "192.0.2.1")
    await target.load(store.snapshot())
    (last,) = await store.changes(store.revision - 1, 1)
    change = last._replace(revision=store.revision + 1, at=last.at + 1, what=what)
    with pytest.raises(BrokenFeed, match="stored here"):
        await target.apply([change])
    assert await everything(target) == await everything(store)
    assert target.writable
    await target.apply([change._replace(what=_put_of(US_EAST, US_WEST))])


async def test_changes_of_records_with_other_stored_values_are_rejected(
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
    assert await everything(target) == await everything(store)
    assert target.writable


async def test_deleting_a_zone_with_mappings_unknown_to_the_primary_is_rejected(
    store: Store, target: Store
) -> None:
    await put(store, "192.0.2.1")
    await target.load(store.snapshot())
    (last,) = await store.changes(store.revision - 1, 1)
    gone = RecordChange(Key(Kind.ZONE, ZONE_ID), zone(), None)
    with pytest.raises(BrokenFeed, match="still has mappings"):
        await target.apply([last._replace(revision=3, at=last.at + 1, what=gone)])
    assert await everything(target) == await everything(store)


async def test_two_zones_with_the_same_name_are_an_error_of_the_feed(
    store: Store, target: Store
) -> None:
    if isinstance(target, MemoryStore):
        return  # it has no database constraints
    await target.load(store.snapshot())
    (last,) = await store.changes(store.revision - 1, 1)
    twin = RecordChange(Key(Kind.ZONE, OTHER_ID), None, zone(OTHER_ID))
    change = last._replace(revision=2, at=last.at + 1, zone_id=OTHER_ID, what=twin)
    with pytest.raises(BrokenFeed):
        await target.apply([change])
    assert target.writable
    assert await everything(target) == await everything(store)

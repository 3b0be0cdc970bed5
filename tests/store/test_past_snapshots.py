"""Snapshots of an earlier revision, on every store, compared with the state at that time."""

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from originmap.domain.errors import HistoryGone
from originmap.domain.history.record import Key, Value
from originmap.domain.history.snapshot import History, Part, Record, SnapshotStart, ZoneMappings
from originmap.domain.mapping import mapping
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Place
from originmap.domain.tier.cache import Cache, CacheState
from originmap.domain.tier.topology import Colo, Topology
from originmap.domain.tier.topology_rules import set_topology
from originmap.service.rollout.past_state import released_snapshot, snapshot_since
from originmap.store.memory import MemoryStore
from originmap.store.port import Store
from originmap.store.sqlite.store import SqliteStore
from tests.builders import CAUSE, CENTRAL, US_EAST, US_WEST, ZONE_ID, ip, ips, new_zone, remove_zone
from tests.store.copies import fill

OTHER_ID = "0" * 32
PLACES = (US_EAST, US_WEST, CENTRAL, None)

State = tuple[dict[Key, Value], dict[str, list[tuple[Address, Place]]]]


async def state(parts: AsyncIterator[Part]) -> State:
    """The records, and the mappings of each zone in the order of the parts."""
    records: dict[Key, Value] = {}
    zones: dict[str, list[tuple[Address, Place]]] = {}
    async for part in parts:
        if isinstance(part, Record):
            assert not zones, "a record follows a mapping"
            records[part.key] = part.value
        elif isinstance(part, ZoneMappings):
            zones.setdefault(part.zone_id, []).extend((m.address, m.place) for m in part.mappings)
    return records, zones


async def change(store: Store, address: Address, place: Place | None, zone: str = ZONE_ID) -> None:
    decide = mapping.put(address, place) if place else mapping.delete(address)
    await store.write(zone, (address,), decide, CAUSE)


async def lived(store: Store) -> dict[int, State]:
    """Make many kinds of changes and return the state at each revision."""
    chance = random.Random(3)
    seen = {store.revision: await state(store.snapshot())}

    async def note() -> None:
        seen[store.revision] = await state(store.snapshot())

    await fill(store, 40)
    await note()
    there = set(ips(40))
    for turn in range(60):
        address = chance.choice(ips(60))
        place = chance.choice(PLACES) if address in there else US_WEST
        there = there - {address} if place is None else there | {address}
        await change(store, address, place)
        await note()
        if turn == 20:
            await store.write_records(new_zone(OTHER_ID, "other.example"), CAUSE)
            await note()
            await fill(store, 30, OTHER_ID)
        if turn == 40:
            await store.write_records(remove_zone(OTHER_ID), CAUSE)
            caches = (Cache("iad-1", "192.0.2.10", 81, 2, CacheState.DRAINING, ("nvme",)),)
            colo = Colo("IAD", "Ashburn", "US", 39.0, -77.5, caches=caches, region="east")
            await store.write_records(set_topology(Topology((colo,))), CAUSE)
        await note()
    return seen


async def test_a_snapshot_of_every_earlier_revision_equals_its_state(store: Store) -> None:
    seen = await lived(store)
    for revision, then in seen.items():
        parts = [part async for part in released_snapshot(store, revision)]
        assert isinstance(parts[0], SnapshotStart)
        assert (parts[0].epoch, parts[0].revision) == (store.epoch, revision)

        async def each(parts: list[Part] = parts) -> AsyncIterator[Part]:
            for part in parts:
                yield part

        assert await state(each()) == then, revision
        zones = [part.zone_id for part in parts if isinstance(part, ZoneMappings)]
        assert zones == sorted(zones), "zones are not in the order of their IDs"


async def test_the_current_state_is_returned_without_a_revision_or_for_a_future_one(
    store: Store,
) -> None:
    await change(store, ip("192.0.2.1"), US_EAST)
    now = [part async for part in store.snapshot()]
    for at in (None, store.revision, store.revision + 5):
        assert [part async for part in released_snapshot(store, at)] == now


async def test_a_revision_before_the_history_is_rejected(store: Store) -> None:
    await fill(store, 10)
    await store.forget(5, 100)
    with pytest.raises(HistoryGone):
        await anext(released_snapshot(store, 4))
    assert [part async for part in released_snapshot(store, 5)]


async def test_a_zone_with_several_parts_keeps_its_order(store: Store) -> None:
    await fill(store, 2_500)
    before, then = store.revision, await state(store.snapshot())
    for address in (ip("9.0.0.1"), ip("10.0.5.5"), ip("10.0.9.0"), ip("11.0.0.1")):
        stored = await store.get(ZONE_ID, address)
        await change(store, address, None if stored else US_WEST)
    await change(store, ip("10.0.1.1"), US_WEST)
    assert await state(released_snapshot(store, before)) == then


async def test_a_copy_with_recent_changes_restores_the_past_like_its_source(
    store: Store, tmp_path: Path
) -> None:
    seen = await lived(store)
    since = list(seen)[25]
    for copy in (MemoryStore(), SqliteStore(tmp_path / "copy.db")):
        await copy.load(snapshot_since(store, since))
        assert (copy.revision, copy.oldest) == (store.revision, since)
        assert await state(copy.snapshot()) == await state(store.snapshot())
        assert await state(released_snapshot(copy, since)) == seen[since]
        with pytest.raises(HistoryGone):
            await anext(released_snapshot(copy, since - 1))
        await copy.close()


async def test_a_snapshot_has_no_trimmed_or_unrequested_history(store: Store) -> None:
    await fill(store, 10)
    await store.forget(5, 100)
    for since in (None, 4, store.revision):
        parts = [part async for part in snapshot_since(store, since)]
        assert not any(isinstance(part, History) for part in parts)

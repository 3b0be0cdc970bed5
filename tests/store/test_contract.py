"""What every store does; `store.port` says it in words."""

import asyncio
import traceback
from typing import Any

import pytest

from originmap.domain.errors import (
    AccountNotFound,
    MappingNotFound,
    StoreBusy,
    StoreFailed,
    TooManyMappings,
    ZoneNotFound,
)
from originmap.domain.history.change import Cause
from originmap.domain.history.record import Key, Kind, RecordChange, RecordDecision
from originmap.domain.mapping import batch, mapping
from originmap.domain.mapping.mapping import Decision, Mapping, MappingChange, ZoneView
from originmap.domain.tier.whatif import Count
from originmap.domain.zone.rules import create_zone
from originmap.store.port import Store
from tests.builders import (
    CAUSE,
    CENTRAL,
    US_EAST,
    US_WEST,
    ZONE_ID,
    ip,
    ips,
    new_zone,
    remove_zone,
    zone,
)
from tests.store.conftest import Clock

OTHER_ID = "f" * 32


async def _put(store: Store, text: str, place: mapping.Place = US_EAST) -> Mapping:
    done = await store.write(ZONE_ID, (ip(text),), mapping.put(ip(text), place), CAUSE)
    return done.outcome or Mapping(ip(text), place, done.at, done.revision)


async def _delete(store: Store, text: str) -> None:
    await store.write(ZONE_ID, (ip(text),), mapping.delete(ip(text)), CAUSE)


async def _fill(store: Store, count: int) -> None:
    addresses = ips(count)

    def decide(view: ZoneView) -> Decision[None]:
        return Decision(tuple(MappingChange(a, None, US_EAST) for a in addresses), None)

    await store.write(ZONE_ID, addresses, decide, CAUSE)


async def test_a_mapping_is_read_as_it_was_written(store: Store) -> None:
    written = await _put(store, "192.0.2.1")
    assert await store.get(ZONE_ID, ip("192.0.2.1")) == written
    assert (written.place, written.revision) == (US_EAST, store.revision)


async def test_an_unmapped_address_is_none(store: Store) -> None:
    assert await store.get(ZONE_ID, ip("192.0.2.1")) is None
    assert await store.get("no such zone", ip("192.0.2.1")) is None


async def test_replacing_gives_a_new_revision_and_a_later_time(store: Store) -> None:
    first = await _put(store, "192.0.2.1")
    second = await _put(store, "192.0.2.1", US_WEST)
    assert await store.get(ZONE_ID, ip("192.0.2.1")) == second
    assert (second.revision, second.modified_on > first.modified_on) == (first.revision + 1, True)


@pytest.mark.proves("D-9")
async def test_writing_the_stored_value_records_nothing(store: Store) -> None:
    first = await _put(store, "192.0.2.1")
    revision = store.revision
    again = await _put(store, "192.0.2.1")
    assert (again, store.revision) == (first, revision)
    assert len(await store.changes(0, 100)) == revision


@pytest.mark.proves("D-20")
async def test_times_go_forward_when_the_clock_steps_back(store: Store, clock: Clock) -> None:
    first = await _put(store, "192.0.2.1")
    clock.now -= 500_000
    second = await _put(store, "192.0.2.1", US_WEST)
    await _delete(store, "192.0.2.1")
    third = await _put(store, "192.0.2.1")
    assert first.modified_on < second.modified_on < third.modified_on


@pytest.mark.proves("D-15")
async def test_pages_are_in_the_order_of_addresses(store: Store) -> None:
    for text in ("2001:db8::1", "192.0.2.9", "9.9.9.9", "::1", "192.0.2.10"):
        await _put(store, text)
    expected = ["9.9.9.9", "192.0.2.9", "192.0.2.10", "::1", "2001:db8::1"]
    page = await store.page(ZONE_ID, 0, 10)
    assert [m.address for m in page.mappings] == [ip(text) for text in expected]
    part = await store.page(ZONE_ID, 1, 2)
    assert [m.address for m in part.mappings] == [ip("192.0.2.9"), ip("192.0.2.10")]
    assert part.total == 5


async def test_past_the_end_and_in_an_empty_zone_pages_are_empty(store: Store) -> None:
    assert await store.page(ZONE_ID, 0, 20) == ([], 0, 1)
    await _put(store, "192.0.2.1")
    assert await store.page(ZONE_ID, 20, 20) == ([], 1, 2)
    assert await store.page(ZONE_ID, 10**17, 100) == ([], 1, 2)


async def test_a_refusal_writes_nothing_and_leaves_neighbours_alone(store: Store) -> None:
    results: list[Any] = await asyncio.gather(
        _put(store, "192.0.2.1"),
        _delete(store, "192.0.2.99"),
        _put(store, "192.0.2.2"),
        return_exceptions=True,
    )
    assert isinstance(results[1], MappingNotFound)
    assert (await store.page(ZONE_ID, 0, 10)).mappings == [results[0], results[2]]


async def test_a_bug_in_a_rule_fails_its_own_write_only(store: Store) -> None:
    def broken(view: ZoneView) -> Decision[None]:
        raise KeyError("a bug")

    results: list[Any] = await asyncio.gather(
        store.write(ZONE_ID, (), broken, CAUSE), _put(store, "192.0.2.1"), return_exceptions=True
    )
    assert isinstance(results[0], KeyError)
    assert await store.get(ZONE_ID, ip("192.0.2.1")) == results[1]


async def test_writes_queued_together_see_each_other_in_order(store: Store) -> None:
    one = ip("192.0.2.1")
    await asyncio.gather(
        _put(store, "192.0.2.1"),
        _put(store, "192.0.2.1", US_WEST),
        _delete(store, "192.0.2.1"),
        _put(store, "192.0.2.1", CENTRAL),
    )
    whats = [change.what for change in await store.changes(1, 10)]
    assert whats == [
        MappingChange(one, None, US_EAST),
        MappingChange(one, US_EAST, US_WEST),
        MappingChange(one, US_WEST, None),
        MappingChange(one, None, CENTRAL),
    ]


async def test_the_limit_is_exact_under_a_race(store: Store) -> None:
    await _fill(store, mapping.MAX_MAPPINGS - 5)
    racers = [_put(store, f"192.0.2.{n}") for n in range(64)]
    results: list[Any] = await asyncio.gather(*racers, return_exceptions=True)
    refused = [r for r in results if isinstance(r, BaseException)]
    assert len(refused) == 59
    assert all(isinstance(r, TooManyMappings) for r in refused)
    assert (await store.page(ZONE_ID, 0, 1)).total == mapping.MAX_MAPPINGS


async def test_a_batch_has_one_time_and_neighbouring_revisions(store: Store) -> None:
    addresses = ips(3)
    upserts = batch.Outcome(dict.fromkeys(addresses, CENTRAL), ())
    done = await store.write(ZONE_ID, addresses, batch.upsert(upserts), CAUSE)
    page = await store.page(ZONE_ID, 0, 10)
    assert [m.revision for m in page.mappings] == [done.revision + n for n in range(3)]
    assert {m.modified_on for m in page.mappings} == {done.at}


async def test_changes_have_actor_and_value_in_order(store: Store) -> None:
    await _put(store, "192.0.2.1")
    other = Cause("token-2", "198.51.100.7", "ray-2")
    await store.write(ZONE_ID, ips(1), mapping.put(ips(1)[0], US_WEST), other)
    made, first, second = await store.changes(0, 10)
    assert made.what == RecordChange(Key(Kind.ZONE, ZONE_ID), None, zone())
    assert (first.cause, first.zone_id) == (CAUSE, ZONE_ID)
    assert (second.cause, second.what) == (other, MappingChange(ips(1)[0], None, US_WEST))
    assert [c.revision for c in (made, first, second)] == [1, 2, 3]
    assert made.at < first.at < second.at


async def test_changes_are_read_from_anywhere_in_a_cause(store: Store) -> None:
    await _fill(store, 10)
    part = await store.changes(4, 3)
    assert [(c.revision, c.cause) for c in part] == [(5, CAUSE), (6, CAUSE), (7, CAUSE)]
    assert await store.changes(store.revision, 10) == []


async def test_a_zone_takes_its_mappings_along_and_leaves_their_history(store: Store) -> None:
    await _fill(store, 3)
    before = store.revision
    await store.write_records(remove_zone(), CAUSE)
    assert (await store.page(ZONE_ID, 0, 10)).mappings == []
    assert await store.get(ZONE_ID, ips(1)[0]) is None
    gone = await store.changes(before, 10)
    assert [c.what for c in gone[:3]] == [MappingChange(a, US_EAST, None) for a in ips(3)]
    assert gone[3].what == RecordChange(Key(Kind.ZONE, ZONE_ID), zone(), None)
    assert {c.zone_id for c in gone} == {ZONE_ID}
    with pytest.raises(ZoneNotFound):
        await _put(store, "192.0.2.1")


async def test_places_are_counted_by_zone(store: Store) -> None:
    await store.write_records(new_zone(OTHER_ID, "example.org"), CAUSE)
    for text, place in (("192.0.2.1", US_WEST), ("192.0.2.2", US_EAST), ("::1", US_WEST)):
        await _put(store, text, place)
    assert await store.count_places([OTHER_ID, ZONE_ID, "no such zone"]) == [
        Count(ZONE_ID, US_EAST, 1),
        Count(ZONE_ID, US_WEST, 2),
    ]


async def test_zones_do_not_see_each_other(store: Store) -> None:
    await store.write_records(new_zone(OTHER_ID, "example.org"), CAUSE)
    await _put(store, "192.0.2.1")
    assert await store.get(OTHER_ID, ip("192.0.2.1")) is None
    assert (await store.page(OTHER_ID, 0, 10)).total == 0
    await store.write_records(remove_zone(OTHER_ID), CAUSE)
    assert (await store.page(ZONE_ID, 0, 10)).total == 1


async def test_a_zone_made_again_starts_empty(store: Store) -> None:
    await _fill(store, 3)
    await store.write_records(remove_zone(), CAUSE)
    await store.write_records(new_zone(OTHER_ID), CAUSE)
    assert (await store.page(OTHER_ID, 0, 10)).total == 0


async def test_listeners_get_the_current_state_and_then_each_change(store: Store) -> None:
    heard: list[RecordChange] = []
    store.follow_records(heard.extend)
    assert heard == [RecordChange(Key(Kind.ZONE, ZONE_ID), None, zone())]
    await store.write_records(new_zone(OTHER_ID, "example.org"), CAUSE)
    assert heard[1].after == zone(OTHER_ID, "example.org")
    with pytest.raises(AccountNotFound):
        await store.write_records(create_zone(zone("a" * 32, "example.net")), CAUSE)
    assert len(heard) == 2


async def test_two_records_with_one_name_are_refused_regardless_of_the_rule(store: Store) -> None:
    twin = RecordChange(Key(Kind.ZONE, OTHER_ID), None, zone(OTHER_ID))
    with pytest.raises(StoreFailed):
        await store.write_records(lambda records: RecordDecision((twin,), None), CAUSE)
    assert store.revision == 1


async def test_a_closed_store_refuses_writes_after_it_finished_the_queued(store: Store) -> None:
    queued = asyncio.ensure_future(_put(store, "192.0.2.1"))
    await asyncio.sleep(0)
    await store.close()
    assert (await queued).place == US_EAST
    with pytest.raises(StoreFailed):
        await _put(store, "192.0.2.2")


async def test_what_refuses_every_write_keeps_nothing_of_them(store: Store) -> None:
    refusal = StoreBusy()
    store.refuse_writes(refusal)
    lengths = set()
    for _ in range(5):
        with pytest.raises(StoreBusy):
            await _put(store, "192.0.2.1")
        lengths.add(len(traceback.extract_tb(refusal.__traceback__)))
    assert len(lengths) == 1

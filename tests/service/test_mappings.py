"""Use cases of mappings, with a store in memory."""

import pytest

from originmap import data
from originmap.domain.errors import (
    MappingExists,
    MappingNotFound,
    Stale,
    UnknownRegion,
    ZoneNotFound,
)
from originmap.domain.mapping.batch import Item
from originmap.domain.mapping.mapping import IfMatch
from originmap.service.mapping.mappings import Mappings
from tests.builders import CAUSE, US_EAST, US_WEST, ZONE_ID, ip
from tests.service.conftest import World

ADDRESS = ip("192.0.2.1")


@pytest.fixture
def mappings(world: World) -> Mappings:
    return Mappings(world.store, data.catalogue)


async def test_put_creates_and_replaces(mappings: Mappings) -> None:
    first = await mappings.put(ZONE_ID, ADDRESS, *US_EAST, CAUSE)
    second = await mappings.put(ZONE_ID, ADDRESS, *US_WEST, CAUSE)
    assert (first.place, second.place) == (US_EAST, US_WEST)
    assert second.revision == first.revision + 1
    assert await mappings.get(ZONE_ID, ADDRESS) == second


async def test_put_refuses_a_region_outside_the_catalogue(mappings: Mappings) -> None:
    with pytest.raises(UnknownRegion):
        mappings.put(ZONE_ID, ADDRESS, "aws", "us-nowhere-1", CAUSE)
    with pytest.raises(MappingNotFound):
        await mappings.get(ZONE_ID, ADDRESS)


async def test_put_in_a_missing_zone_is_refused(mappings: Mappings) -> None:
    with pytest.raises(ZoneNotFound):
        await mappings.put("f" * 32, ADDRESS, *US_EAST, CAUSE)


async def test_create_refuses_an_address_that_has_a_mapping(mappings: Mappings) -> None:
    await mappings.create(ZONE_ID, ADDRESS, *US_EAST, CAUSE)
    with pytest.raises(MappingExists):
        await mappings.create(ZONE_ID, ADDRESS, *US_WEST, CAUSE)


async def test_a_condition_on_an_old_revision_is_refused(mappings: Mappings) -> None:
    old = await mappings.put(ZONE_ID, ADDRESS, *US_EAST, CAUSE)
    new = await mappings.put(ZONE_ID, ADDRESS, *US_WEST, CAUSE)
    with pytest.raises(Stale):
        await mappings.delete(ZONE_ID, ADDRESS, CAUSE, IfMatch(frozenset({old.revision})))
    gone = await mappings.delete(ZONE_ID, ADDRESS, CAUSE, IfMatch(frozenset({new.revision})))
    assert gone == new


async def test_delete_of_a_missing_mapping_is_refused(mappings: Mappings) -> None:
    with pytest.raises(MappingNotFound):
        await mappings.delete(ZONE_ID, ADDRESS, CAUSE)


async def test_a_batch_applies_the_good_items_and_reports_the_others(mappings: Mappings) -> None:
    items = [
        Item("192.0.2.1", *US_EAST),
        Item("not an address", *US_EAST),
        Item("192.0.2.2", "aws", "nowhere"),
    ]
    outcome = await mappings.put_many(ZONE_ID, items, CAUSE)
    assert list(outcome.succeeded) == [ADDRESS]
    assert len(outcome.failed) == 2
    assert [m.address for m in await mappings.all(ZONE_ID)] == [ADDRESS]


async def test_a_batch_without_a_good_item_writes_nothing(mappings: Mappings, world: World) -> None:
    before = world.store.revision
    outcome = await mappings.put_many(ZONE_ID, [Item("no")], CAUSE)
    assert (list(outcome.succeeded), world.store.revision) == ([], before)


async def test_pages_are_in_the_order_of_addresses(mappings: Mappings) -> None:
    for text in ("2001:db8::1", "192.0.2.10", "192.0.2.9"):
        await mappings.put(ZONE_ID, ip(text), *US_EAST, CAUSE)
    first = await mappings.page(ZONE_ID, 1, 2)
    second = await mappings.page(ZONE_ID, 2, 2)
    assert [m.address for m in first.mappings] == [ip("192.0.2.9"), ip("192.0.2.10")]
    assert [m.address for m in second.mappings] == [ip("2001:db8::1")]
    assert (first.total, second.total) == (3, 3)

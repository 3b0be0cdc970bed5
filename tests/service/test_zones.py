"""Use cases of zones, with a store in memory."""

import pytest

from originmap.domain.access.permissions import ZONE_PREFIX, Grants, Group, group_id
from originmap.domain.errors import AccountNotFound, InvalidZoneName, ZoneExists, ZoneNotFound
from originmap.domain.zone.filter import ZoneQuery
from originmap.domain.zone.zone import Zone, ZoneType
from originmap.service.access.directory import Caller
from originmap.service.mapping.zones import Zones
from tests.builders import CAUSE, ZONE_ID, policy
from tests.service.conftest import World

NOW = 7


@pytest.fixture
def zones(world: World) -> Zones:
    return Zones(world.store, world.directory, lambda: NOW)


async def create(zones: Zones, name: object, account: str = "account") -> Zone:
    return await zones.create(name, account, ZoneType.FULL, None, CAUSE)


async def test_a_new_zone_is_found_by_its_name(zones: Zones, world: World) -> None:
    made = await create(zones, "Example.ORG")
    assert (made.name, made.created_on) == ("example.org", NOW)
    assert world.directory.zone_named("example.org") == made


async def test_a_name_outside_ascii_is_kept_in_both_forms(zones: Zones) -> None:
    made = await create(zones, "bücher.example")
    assert (made.name, made.shown_name) == ("xn--bcher-kva.example", "bücher.example")


@pytest.mark.parametrize("name", ["", "no dots", 7, None, "a..b"])
async def test_an_invalid_domain_name_is_refused(zones: Zones, name: object) -> None:
    with pytest.raises(InvalidZoneName):
        await create(zones, name)


async def test_a_zone_name_is_unique(zones: Zones) -> None:
    with pytest.raises(ZoneExists):
        await create(zones, "example.com")


async def test_a_zone_in_a_missing_account_is_refused(zones: Zones) -> None:
    with pytest.raises(AccountNotFound):
        await create(zones, "example.org", "f" * 32)


async def test_a_zone_is_paused_and_resumed(zones: Zones) -> None:
    assert (await zones.pause(ZONE_ID, True, CAUSE)).paused
    assert not (await zones.pause(ZONE_ID, False, CAUSE)).paused
    with pytest.raises(ZoneNotFound):
        await zones.pause("f" * 32, True, CAUSE)


async def test_a_deleted_zone_is_removed_from_the_directory(zones: Zones, world: World) -> None:
    await zones.delete(ZONE_ID, CAUSE)
    assert world.directory.zone(ZONE_ID) is None


async def test_a_caller_sees_only_zones_that_it_may_read(zones: Zones) -> None:
    other = await create(zones, "example.org")
    read = policy(True, [ZONE_PREFIX + other.id], [group_id(Group.ZONE_READ)])
    caller = Caller("token", Grants([read]), "user", None)
    assert zones.visible(caller, ZoneQuery()) == [other]
    assert zones.visible(caller, ZoneQuery(name="example.com")) == []

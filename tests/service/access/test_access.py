"""Credentials and rights, with a directory in memory."""

import pytest

from originmap.domain.access.errors import (
    Forbidden,
    UnknownKey,
    UnknownToken,
    UnusableToken,
    WrongColo,
    WrongLocation,
)
from originmap.domain.access.permissions import (
    ALL_ZONES,
    COLO_PREFIX,
    READ_MAPPINGS,
    WRITE_MAPPINGS,
    ZONE_PREFIX,
    Grants,
    Group,
    Policy,
    group_id,
)
from originmap.domain.access.token import RequestIP, Token
from originmap.domain.access.token_rules import revoke_token
from originmap.domain.errors import StoreEmpty, ZoneNotFound
from originmap.domain.history.record import Kind
from originmap.domain.zone.rules import add_missing
from originmap.service.access.access import OPERATOR, Access
from originmap.service.access.directory import Caller, Directory
from tests.builders import CAUSE, ZONE_ID, policy, token
from tests.service.conftest import World

CLIENT, NOW = "192.0.2.200", 1_000
READ, WRITE = group_id(Group.ZONE_SETTINGS_READ), group_id(Group.ZONE_SETTINGS_WRITE)
READ_ALL = policy(True, [ALL_ZONES], [READ])


@pytest.fixture
def access(world: World) -> Access:
    return Access(world.directory, lambda: NOW)


async def add(world: World, name: str, *policies: Policy, **limits: object) -> None:
    made = token(name, *policies)
    members = {member: getattr(made, member) for member in made.__slots__}
    record = Token(**members | limits)
    await world.store.write_records(add_missing([(Kind.TOKEN, record)]), CAUSE)


async def test_a_token_is_known_by_its_secret(access: Access, world: World) -> None:
    await add(world, "reader", READ_ALL)
    assert access.by_token(b"secret-reader", CLIENT).id == "reader"
    with pytest.raises(UnknownToken):
        access.by_token(b"secret-writer", CLIENT)


@pytest.mark.parametrize(
    "limits", [{"disabled": True}, {"expires_on": NOW - 1}, {"not_before": NOW + 1}]
)
async def test_a_token_that_is_not_valid_now_is_refused(
    access: Access, world: World, limits: dict[str, object]
) -> None:
    await add(world, "reader", READ_ALL, **limits)
    with pytest.raises(UnusableToken):
        access.by_token(b"secret-reader", CLIENT)
    assert access.by_token_of_any_status(b"secret-reader", CLIENT).id == "reader"


async def test_a_token_for_other_addresses_is_refused(access: Access, world: World) -> None:
    await add(world, "reader", READ_ALL, request_ip=RequestIP(("198.51.100.0/24",)))
    with pytest.raises(WrongLocation):
        access.by_token(b"secret-reader", CLIENT)


async def test_a_user_without_a_key_cannot_use_one(access: Access) -> None:
    for email in ("user@example.com", "nobody@example.com"):
        with pytest.raises(UnknownKey):
            access.by_key(email, b"x" * 32)


async def test_rights_are_those_of_the_zone(access: Access, world: World) -> None:
    await add(world, "reader", policy(True, [ZONE_PREFIX + ZONE_ID], [READ]))
    caller = access.by_token(b"secret-reader", CLIENT)
    assert access.zone(caller, READ_MAPPINGS, ZONE_ID).id == ZONE_ID
    with pytest.raises(Forbidden):
        access.zone(caller, WRITE_MAPPINGS, ZONE_ID)


async def test_only_a_token_for_all_zones_learns_that_a_zone_is_missing(
    access: Access, world: World
) -> None:
    await add(world, "all", READ_ALL)
    await add(world, "one", policy(True, [ZONE_PREFIX + ZONE_ID], [READ]))
    with pytest.raises(ZoneNotFound):
        access.zone(access.by_token(b"secret-all", CLIENT), READ_MAPPINGS, "f" * 32)
    with pytest.raises(Forbidden):
        access.zone(access.by_token(b"secret-one", CLIENT), READ_MAPPINGS, "f" * 32)


async def test_a_credential_that_was_revoked_is_invalid(access: Access, world: World) -> None:
    await add(world, "reader", READ_ALL)
    caller = access.by_token(b"secret-reader", CLIENT)
    assert access.still(caller)
    await world.store.write_records(revoke_token("reader"), CAUSE)
    assert not access.still(caller)


async def test_the_local_operator_has_full_access(access: Access) -> None:
    operator = access.local_operator()
    assert (operator.id, operator.user_id) == (OPERATOR, "user")
    access.operator(operator)
    access.whole(operator)
    access.zone(operator, WRITE_MAPPINGS, ZONE_ID)
    assert access.still(operator)


def test_an_empty_database_has_no_valid_credentials() -> None:
    with pytest.raises(StoreEmpty):
        Access(Directory(), lambda: NOW).check_loaded()


def test_a_node_token_of_one_colo_reports_as_that_colo(access: Access) -> None:
    edge = policy(True, [ALL_ZONES, COLO_PREFIX + "SIN"], [group_id(Group.EDGE)])
    node = Caller("node", Grants([edge]), "user", None)
    access.report(node, "SIN", feeds_a_cache=True)
    with pytest.raises(WrongColo):
        access.report(node, "FRA", feeds_a_cache=True)
    with pytest.raises(Forbidden):
        access.no_node(node)
    with pytest.raises(Forbidden):
        access.operator(node)

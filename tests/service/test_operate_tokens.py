"""Tokens as the operator sees them."""

import pytest

from originmap.domain.access import ZONE_PREFIX, Group, group_id
from originmap.domain.errors import InvalidToken
from originmap.domain.record import Kind, Value
from originmap.domain.token import MAX_TOKENS
from originmap.domain.token_rules import create_token
from originmap.domain.zone import Account, User
from originmap.domain.zone_rules import add_missing
from originmap.service.directory import Directory
from originmap.service.operate.tokens import CreateToken, ListTokens, OperateTokens, TokenView
from originmap.store.clock import wall_clock
from originmap.store.memory import MemoryStore
from tests.builders import CAUSE, ZONE_ID, new_zone, policy, token

READ, WRITE = group_id(Group.ZONE_SETTINGS_READ), group_id(Group.ZONE_SETTINGS_WRITE)


async def test_what_a_token_is_denied_is_none_of_its_zones() -> None:
    store, directory = MemoryStore(), Directory()
    store.follow_records(directory.apply)
    await store.write_records(new_zone(), CAUSE)
    allowed = policy(True, [ZONE_PREFIX + ZONE_ID], [READ])
    denied = policy(False, [ZONE_PREFIX + "a" * 32], [WRITE])
    await store.write_records(create_token(token("t", allowed, denied)), CAUSE)
    operate = OperateTokens(store, directory, wall_clock)
    (view,) = await operate.handlers[ListTokens](ListTokens())
    assert (view.zones, view.access) == ([ZONE_ID], "read")


async def _operate() -> OperateTokens:
    store, directory = MemoryStore(), Directory()
    store.follow_records(directory.apply)
    values: list[tuple[Kind, Value]] = [
        (Kind.ACCOUNT, Account("account", "Example", 1)),
        (Kind.USER, User("user", "user@example.com", "", 1)),
    ]
    await store.write_records(add_missing(values), CAUSE)
    await store.write_records(new_zone(), CAUSE)
    return OperateTokens(store, directory, wall_clock)


async def _create(operate: OperateTokens, command: CreateToken) -> TokenView:
    await operate.handlers[CreateToken](command)
    (view,) = await operate.handlers[ListTokens](ListTokens())
    assert isinstance(view, TokenView)
    return view


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (CreateToken("n", (), "edge"), (["all"], "edge", [])),
        (CreateToken("n", ("example.com",), "edge", "SIN"), ([ZONE_ID], "edge", ["SIN"])),
        (CreateToken("n", (), "replicate"), (["all"], "replicate", [])),
    ],
)
async def test_a_token_of_a_node_is_listed_with_its_right_and_its_colo(
    command: CreateToken, shown: tuple[list[str], str, list[str]]
) -> None:
    view = await _create(await _operate(), command)
    assert (view.zones, view.access, view.colos) == shown


@pytest.mark.parametrize(
    "command",
    [
        CreateToken("n", ("example.com",), "replicate"),
        CreateToken("n", (), "read", "SIN"),
        CreateToken("n", (), "edge", "Singapore"),
    ],
)
async def test_a_token_of_a_node_that_makes_no_sense_is_refused(command: CreateToken) -> None:
    with pytest.raises(InvalidToken):
        await _create(await _operate(), command)


async def test_a_user_has_more_tokens_of_nodes_than_others() -> None:
    operate = await _operate()
    for number in range(MAX_TOKENS["user"] + 1):
        await operate.handlers[CreateToken](CreateToken(f"node {number}", (), "edge"))
    for number in range(MAX_TOKENS["user"]):
        await operate.handlers[CreateToken](CreateToken(f"other {number}", (), "read"))
    with pytest.raises(InvalidToken):
        await operate.handlers[CreateToken](CreateToken("one more", (), "read"))

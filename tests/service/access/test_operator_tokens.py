"""Tokens of all owners, for operators."""

import pytest

from originmap.domain.access.permissions import GROUP_IDS, ZONE_PREFIX, Group, group_id
from originmap.domain.access.token import MAX_TOKENS
from originmap.domain.access.token_access import Access, TokenAccess, access_of
from originmap.domain.errors import InvalidToken
from originmap.domain.history.record import Kind, Value
from originmap.domain.zone.rules import add_missing
from originmap.domain.zone.zone import Account, User
from originmap.service.access.directory import Directory
from originmap.service.access.operator_tokens import OperatorTokens
from originmap.service.access.tokens import Tokens
from originmap.store.clock import wall_clock
from originmap.store.memory import MemoryStore
from tests.builders import CAUSE, ZONE_ID, new_zone, policy

READ, WRITE = group_id(Group.ZONE_SETTINGS_READ), group_id(Group.ZONE_SETTINGS_WRITE)


def test_a_denied_zone_is_not_listed_for_a_token() -> None:
    allowed = policy(True, [ZONE_PREFIX + ZONE_ID], [READ])
    denied = policy(False, [ZONE_PREFIX + "a" * 32], [WRITE])
    view = access_of([allowed, denied])
    assert (view.zones, view.access) == ([ZONE_ID], "read")


async def _tokens() -> OperatorTokens:
    store, directory = MemoryStore(), Directory()
    store.follow_records(directory.apply)
    values: list[tuple[Kind, Value]] = [
        (Kind.ACCOUNT, Account("account", "Example", 1)),
        (Kind.USER, User("user", "user@example.com", "", 1)),
    ]
    await store.write_records(add_missing(values), CAUSE)
    await store.write_records(new_zone(), CAUSE)
    return OperatorTokens(Tokens(store, directory, GROUP_IDS, wall_clock), directory)


async def _create(
    tokens: OperatorTokens, access: Access, zones: tuple[str, ...] = (), colo: str = ""
) -> TokenAccess:
    await tokens.create("n", access, zones, colo, "user", CAUSE)
    (token,) = tokens.all()
    return access_of(token.policies)


@pytest.mark.parametrize(
    ("access", "zones", "colo", "shown"),
    [
        ("edge", (), "", (["all"], "edge", [])),
        ("edge", ("example.com",), "SIN", ([ZONE_ID], "edge", ["SIN"])),
        ("replicate", (), "", (["all"], "replicate", [])),
        ("everything", (), "", (["all"], "everything", [])),
        ("read", ("example.com",), "", ([ZONE_ID], "read", [])),
        ("write", (), "", (["all"], "write", [])),
    ],
)
async def test_a_node_token_is_listed_with_its_access_and_colo(
    access: Access, zones: tuple[str, ...], colo: str, shown: tuple[list[str], str, list[str]]
) -> None:
    view = await _create(await _tokens(), access, zones, colo)
    assert (view.zones, view.access, view.colos) == shown


@pytest.mark.parametrize(
    ("access", "zones", "colo"),
    [
        ("replicate", ("example.com",), ""),
        ("read", (), "SIN"),
        ("edge", (), "Singapore"),
    ],
)
async def test_an_inconsistent_node_token_is_rejected(
    access: Access, zones: tuple[str, ...], colo: str
) -> None:
    with pytest.raises(InvalidToken):
        await _create(await _tokens(), access, zones, colo)


async def test_a_user_can_have_more_node_tokens_than_other_tokens() -> None:
    tokens = await _tokens()

    async def create(name: str, access: Access) -> None:
        await tokens.create(name, access, (), "", "user", CAUSE)

    for number in range(MAX_TOKENS["user"] + 1):
        await create(f"node {number}", "edge")
    for number in range(MAX_TOKENS["user"]):
        await create(f"other {number}", "read")
    with pytest.raises(InvalidToken):
        await create("one more", "read")

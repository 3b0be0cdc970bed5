"""Rules for node tokens."""

import pytest

from originmap.domain.access.permissions import (
    ACCOUNT_PREFIX,
    ALL_ACCOUNTS,
    ALL_ZONES,
    COLO_PREFIX,
    GROUP_IDS,
    NODE_GROUP_IDS,
    READ_MAPPINGS,
    READ_STATE,
    WRITE_MAPPINGS,
    ZONE_PREFIX,
    Grants,
    Group,
    group_id,
)
from originmap.domain.access.token import Owner, Token
from originmap.domain.access.token_rules import check_token
from originmap.domain.errors import InvalidToken
from tests.builders import ZONE_ID, policy, token

EDGE, REPLICATE = group_id(Group.EDGE), group_id(Group.REPLICATE)
READ = group_id(Group.ZONE_READ)
SIN = COLO_PREFIX + "SIN"
ZONE = ZONE_PREFIX + ZONE_ID
ACCOUNT = Owner("account", "a" * 32)


def test_our_groups_have_their_own_ids() -> None:
    assert not NODE_GROUP_IDS.keys() & GROUP_IDS.keys()
    assert all(len(id_) == 32 for id_ in NODE_GROUP_IDS)


@pytest.mark.parametrize(
    "made",
    [
        token("all zones", policy(True, [ALL_ZONES], [EDGE])),
        token("a zone and a colo", policy(True, [ZONE, SIN], [EDGE])),
        token("all but one", policy(True, [ALL_ZONES], [EDGE]), policy(False, [ZONE], [EDGE])),
        token("everything", policy(True, [ALL_ACCOUNTS], [REPLICATE])),
    ],
    ids=lambda made: made.name,
)
def test_a_node_token_is_accepted(made: Token) -> None:
    check_token(made, GROUP_IDS)


@pytest.mark.parametrize(
    ("made", "problem"),
    [
        (
            token("t", policy(True, [ALL_ZONES], [EDGE, READ])),
            "must not have another permission group",
        ),
        (
            token("t", policy(True, [ALL_ZONES], [EDGE]), policy(True, [ZONE], [READ])),
            "must not have another permission group",
        ),
        (
            token("t", policy(True, [ALL_ACCOUNTS], [EDGE, REPLICATE])),
            "must not have another permission group",
        ),
        (token("t", policy(True, [ZONE], [REPLICATE])), "must allow exactly"),
        (token("t", policy(True, [ALL_ACCOUNTS, SIN], [REPLICATE])), "must allow exactly"),
        (token("t", policy(True, [SIN], [EDGE])), "must name the zones"),
        (token("t", policy(True, [ALL_ZONES, COLO_PREFIX + "sin"], [EDGE])), "colo 'sin'"),
        (token("t", policy(True, [ZONE, SIN], [READ])), "allowed in tokens for edge only"),
        (
            token("t", policy(True, [ALL_ZONES], [EDGE]), policy(False, [ZONE, SIN], [EDGE])),
            "denies must not name a colo",
        ),
        (
            token("t", policy(True, [ACCOUNT_PREFIX + ACCOUNT.id], [EDGE]), owner=ACCOUNT),
            "must belong to a user",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_invalid_node_token_is_rejected(made: Token, problem: str) -> None:
    with pytest.raises(InvalidToken, match=problem):
        check_token(made, GROUP_IDS)


def test_a_node_token_can_read_the_state_and_nothing_else() -> None:
    grants = Grants([policy(True, [ZONE, SIN], [EDGE])])
    assert (grants.node, grants.colos) == (Group.EDGE, {"SIN"})
    assert grants.cover_zone(READ_STATE, ZONE_ID, "account")
    assert not grants.cover_zone(READ_STATE, "b" * 32, "account")
    for need in (READ_MAPPINGS, WRITE_MAPPINGS):
        assert not grants.cover_zone(need, ZONE_ID, "account")
    assert not grants.touch_account("account", [ZONE_ID])


def test_equal_grants_have_equal_scopes() -> None:
    one = policy(True, [ZONE, ZONE_PREFIX + "b" * 32, SIN], [EDGE])
    other = policy(True, [ZONE_PREFIX + "b" * 32, ZONE], [EDGE], id_="another")
    assert Grants([one]).scope == Grants([other]).scope
    assert Grants([one]).scope != Grants([policy(True, [ZONE], [EDGE])]).scope

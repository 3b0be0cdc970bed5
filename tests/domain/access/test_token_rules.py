"""Rules for tokens: validation, ownership, and the limits of account tokens."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from originmap.domain.access.permissions import (
    ACCOUNT_PREFIX,
    ALL_ACCOUNTS,
    ALL_ZONES,
    GROUP_IDS,
    READ_ACCOUNT,
    READ_USER,
    READ_ZONE,
    USER_PREFIX,
    ZONE_PREFIX,
    Grants,
    Policy,
    Resources,
)
from originmap.domain.access.token import LONGEST_NAME, Owner, RequestIP, Token
from originmap.domain.access.token_rules import (
    change_token,
    check_token,
    create_token,
    revoke_token,
    roll_token,
)
from originmap.domain.errors import (
    InvalidToken,
    OriginmapError,
    TokenNotFound,
    UnknownPermissionGroup,
    ZoneNotFound,
)
from originmap.domain.history.record import Key, Kind, RecordDecide, RecordsView, Value
from originmap.domain.zone.zone import Zone
from tests.builders import policy, token

GROUP = "c8fed203ed3043cba015a93ad1616f1f"  # Zone Read
MINE, FOREIGN = "mine", "foreign"
USER, ACCOUNT = Owner("user", "u"), Owner("account", "a")
ANYTHING = policy(True, [ALL_ZONES], [GROUP])
RECORDS: RecordsView = {
    Key(Kind.ZONE, MINE): Zone(MINE, "example.com", "a", 1, 1),
    Key(Kind.ZONE, FOREIGN): Zone(FOREIGN, "example.org", "b", 1, 1),
    Key(Kind.TOKEN, "t"): token("t", ANYTHING, owner=USER),
}


def _on(resources: Resources, *, allow: bool = True) -> Policy:
    return Policy("policy", allow, resources, (GROUP,))


def _after(decide: RecordDecide[object]) -> list[object]:
    """The stored token."""
    return [change.after for change in decide(RECORDS).changes]


@pytest.mark.proves("P-TOKEN-9")
@pytest.mark.parametrize("name", ["x", "x" * LONGEST_NAME])
def test_a_name_has_1_to_120_characters(name: str) -> None:
    check_token(replace(token("t", ANYTHING), name=name), GROUP_IDS)


@pytest.mark.proves("P-TOKEN-6")
@pytest.mark.parametrize(
    ("made", "why"),
    [
        (replace(token("t", ANYTHING), name=""), "name must have a length between 1 and 120"),
        (replace(token("t", ANYTHING), name="x" * 121), "name must have a length"),
        (token("t"), "at least one policy"),
        (token("t", policy(True, [ALL_ZONES], [])), "at least one permission group"),
        (token("t", policy(True, [], [GROUP])), "at least one resource"),
        (token("t", policy(True, ["everything"], [GROUP])), "unknown resource everything"),
        (token("t", _on({ALL_ZONES: "yes"})), 'must be "\\*"'),
        (token("t", _on({ACCOUNT_PREFIX + "a": {}})), "must hold zones"),
        (token("t", _on({ACCOUNT_PREFIX + "a": {"zone": "*"}})), "must hold zones"),
        (token("t", _on({ACCOUNT_PREFIX + "a": {ALL_ZONES: "yes"}})), "must hold zones"),
        (token("t", _on({ACCOUNT_PREFIX + "a": {ACCOUNT_PREFIX + "b": "*"}})), "must hold zones"),
        (token("t", _on({ZONE_PREFIX + MINE: {ALL_ZONES: "*"}})), "only an account holds zones"),
        (token("t", _on({ALL_ZONES: {ALL_ZONES: "*"}})), "only an account holds zones"),
        (token("t", _on({USER_PREFIX + "u": {ALL_ZONES: "*"}})), "only an account holds zones"),
        (replace(token("t", ANYTHING), request_ip=RequestIP(("192.0.2.1/24",))), "request_ip"),
        (replace(token("t", ANYTHING), request_ip=RequestIP(None, ("x",))), "request_ip"),
        (replace(token("t", ANYTHING), request_ip=RequestIP(("::/0",) * 101)), "at most 100"),
        (replace(token("t", ANYTHING), request_ip=RequestIP(None, ("::/0",) * 101)), "at most 100"),
        (token("t", _on({ZONE_PREFIX + "A" * 32: "*"}, allow=False)), "has no valid id"),
        (token("t", _on({ZONE_PREFIX: "*"}, allow=False)), "has no valid id"),
        (token("t", _on({USER_PREFIX + "*": "*"}, allow=False)), "has no valid id"),
        (token("t", _on({ALL_ACCOUNTS: {ZONE_PREFIX + "b": "*"}}, allow=False)), "has no valid id"),
        (replace(token("t", ANYTHING), not_before=2, expires_on=2), "after not_before"),
    ],
)
def test_an_invalid_token_is_rejected(made: Token, why: str) -> None:
    with pytest.raises(InvalidToken, match=why):
        check_token(made, GROUP_IDS)


@pytest.mark.parametrize(("owner", "most"), [(USER, 50), (ACCOUNT, 500)])
def test_an_owner_has_a_limit_of_tokens(owner: Owner, most: int) -> None:
    """Published: 50 for a user, 500 for an account. Tokens of other owners do not count."""
    nothing = policy(False, [ALL_ZONES], [GROUP])
    new = token("new", nothing, owner=owner)
    full: dict[Key, Value] = {
        Key(Kind.TOKEN, f"{n}"): token(f"{n}", nothing, owner=owner) for n in range(most)
    }
    other = replace(owner, id="other")
    full[Key(Kind.TOKEN, "other")] = token("other", nothing, owner=other)
    with pytest.raises(InvalidToken, match=f"{owner.kind} has {most} tokens"):
        create_token(new)(full)
    create_token(replace(new, owner=other))(full)
    change_token("0", owner, new)(full)
    del full[Key(Kind.TOKEN, "0")]
    assert create_token(new)(full).outcome == new


def test_a_permission_group_must_exist() -> None:
    with pytest.raises(UnknownPermissionGroup, match="Permission group unheard not found"):
        check_token(token("t", policy(True, [ALL_ZONES], [GROUP, "unheard"])), GROUP_IDS)
    check_token(token("t", policy(True, [ALL_ZONES], [GROUP, "unheard"])), {GROUP, "unheard"})


def test_expires_on_must_be_after_not_before() -> None:
    check_token(replace(token("t", ANYTHING), not_before=1, expires_on=2), GROUP_IDS)
    check_token(replace(token("t", ANYTHING), expires_on=0), GROUP_IDS)


def test_a_policy_can_allow_existing_zones_and_deny_any() -> None:
    for resources in ({ZONE_PREFIX + "gone": "*"}, {ACCOUNT_PREFIX + "a": {ZONE_PREFIX + "": "*"}}):
        with pytest.raises(ZoneNotFound):
            create_token(token("new", _on(resources)))(RECORDS)
        denying = token("new", ANYTHING, _on(resources, allow=False))
        assert _after(create_token(denying)) == [denying]


@pytest.mark.parametrize(
    "resources",
    [
        {ACCOUNT_PREFIX + "a": "*"},
        {ACCOUNT_PREFIX + "a": {ALL_ZONES: "*"}},
        {ACCOUNT_PREFIX + "a": {ZONE_PREFIX + MINE: "*"}},
        {ZONE_PREFIX + MINE: "*"},
    ],
)
def test_an_account_token_can_name_resources_of_the_account(resources: Resources) -> None:
    made = token("new", _on(resources), owner=ACCOUNT)
    assert _after(create_token(made)) == [made]


@pytest.mark.parametrize(
    "resources",
    [
        {ALL_ZONES: "*"},
        {ALL_ACCOUNTS: "*"},
        {USER_PREFIX + "u": "*"},
        {ACCOUNT_PREFIX + "b": "*"},
        {ACCOUNT_PREFIX + "b": {ALL_ZONES: "*"}},
        {ACCOUNT_PREFIX + "b": {ZONE_PREFIX + MINE: "*"}},
        {ACCOUNT_PREFIX + "a": {ZONE_PREFIX + FOREIGN: "*"}},
        {ACCOUNT_PREFIX + "a": {ZONE_PREFIX + MINE: "*", ZONE_PREFIX + "gone": "*"}},
        {ZONE_PREFIX + FOREIGN: "*"},
        {ZONE_PREFIX + "gone": "*"},
        {ZONE_PREFIX + MINE: {ZONE_PREFIX + FOREIGN: "*"}},
    ],
)
def test_an_account_token_cannot_name_resources_outside_the_account(resources: Resources) -> None:
    made = token("new", _on(resources), owner=ACCOUNT)
    with pytest.raises(InvalidToken, match="is not in the account of the token"):
        create_token(made)(RECORDS)
    old = token("t", _on({ACCOUNT_PREFIX + "a": "*"}), owner=ACCOUNT)
    with pytest.raises(InvalidToken, match="is not in the account of the token"):
        change_token("t", ACCOUNT, made)({**RECORDS, Key(Kind.TOKEN, "t"): old})


_NAMES = [ALL_ZONES, *(ZONE_PREFIX + zone for zone in (MINE, FOREIGN, "gone", "a", "b"))]
_OUTER = [*_NAMES, ALL_ACCOUNTS, ACCOUNT_PREFIX + "a", ACCOUNT_PREFIX + "b", USER_PREFIX + "u"]
_INSIDE = st.dictionaries(st.sampled_from(_NAMES), st.just("*"), max_size=3)
_RESOURCES = st.dictionaries(
    st.sampled_from(_OUTER), st.just("*") | _INSIDE, min_size=1, max_size=3
)


@settings(max_examples=500)
@given(st.lists(st.tuples(_RESOURCES, st.booleans()), min_size=1, max_size=2))
def test_an_account_token_never_grants_anything_outside_the_account(
    said: list[tuple[Resources, bool]],
) -> None:
    groups = tuple(GROUP_IDS)
    policies = tuple(Policy("p", allow, resources, groups) for resources, allow in said)
    try:
        create_token(token("new", *policies, owner=ACCOUNT))(RECORDS)
    except OriginmapError:
        return
    grants = Grants(policies)
    assert not grants.cover_zone(READ_ZONE, FOREIGN, "b")
    assert not grants.cover_zones_of(READ_ZONE, "b")
    assert not grants.cover_account(READ_ACCOUNT, "b")
    assert not grants.cover_user(READ_USER, "u")


def test_an_update_keeps_id_secret_owner_and_time_of_issue() -> None:
    new = replace(token("other", _on({ZONE_PREFIX + MINE: "*"}), owner=ACCOUNT), modified_on=7)
    old = RECORDS[Key(Kind.TOKEN, "t")]
    assert isinstance(old, Token)
    changed = replace(old, name="other", policies=new.policies, modified_on=7)
    assert _after(change_token("t", USER, new)) == [changed]


def test_setting_the_current_value_changes_nothing() -> None:
    decision = change_token("t", USER, replace(token("t", ANYTHING), modified_on=7))(RECORDS)
    assert (decision.changes, decision.outcome) == ((), RECORDS[Key(Kind.TOKEN, "t")])


def test_a_rolled_token_differs_in_its_secret_only() -> None:
    (rolled,) = _after(roll_token("t", USER, "hash", 7))
    expected = replace(token("t", ANYTHING, owner=USER), secret_hash="hash", modified_on=7)
    assert rolled == expected


def test_a_revoked_token_does_not_exist() -> None:
    (change,) = revoke_token("t", USER)(RECORDS).changes
    assert (change.key, change.after) == (Key(Kind.TOKEN, "t"), None)


@pytest.mark.parametrize("owner", [ACCOUNT, Owner("user", "other"), Owner("account", "u")])
def test_tokens_of_another_owner_are_not_found(owner: Owner) -> None:
    new = token("t", ANYTHING)
    for rule in (
        change_token("t", owner, new), roll_token("t", owner, "hash", 7), revoke_token("t", owner),
        change_token("none", None, new), roll_token("none", None, "hash", 7), revoke_token("none"),
        revoke_token(MINE),
    ):  # fmt: skip
        with pytest.raises(TokenNotFound):
            rule(RECORDS)


def test_the_operator_can_change_every_token() -> None:
    assert _after(revoke_token("t")) == [None]

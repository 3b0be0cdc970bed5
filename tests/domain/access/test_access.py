"""Grants agree with a naive evaluation of the policies."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from originmap.domain.access.permissions import (
    ACCOUNT_PREFIX,
    ALL_ACCOUNTS,
    ALL_ZONES,
    GROUP_IDS,
    READ_ACCOUNT,
    READ_ACCOUNT_TOKENS,
    READ_MAPPINGS,
    READ_USER,
    READ_USER_TOKENS,
    READ_ZONE,
    USER_PREFIX,
    WRITE_ACCOUNT_TOKENS,
    WRITE_MAPPINGS,
    WRITE_USER_TOKENS,
    WRITE_ZONE,
    ZONE_PREFIX,
    Grants,
    Need,
    Policy,
    everything_of,
)
from tests.builders import policy

ZONES = {"z1": "a1", "z2": "a1", "z3": "a2"}
EVERYTHING = Grants([everything_of("u1")])
RESOURCES = [
    ALL_ZONES,
    ALL_ACCOUNTS,
    *(ZONE_PREFIX + z for z in ZONES),
    ACCOUNT_PREFIX + "a1",
    ACCOUNT_PREFIX + "a2",
    USER_PREFIX + "u1",
    "nonsense",
]
ON_ZONES = [READ_MAPPINGS, WRITE_MAPPINGS, READ_ZONE, WRITE_ZONE]
ON_ACCOUNTS = [READ_ACCOUNT, READ_ACCOUNT_TOKENS, WRITE_ACCOUNT_TOKENS]
ON_USERS = [READ_USER, READ_USER_TOKENS, WRITE_USER_TOKENS]
SETTINGS_READ = "517b21aee92c4d89936c976ba6e4be55"
SETTINGS_WRITE = "3030687196b94b638145a3953da2b699"
UNKNOWN_GROUP = "0" * 32

inside = st.one_of(
    st.just("*"),
    st.dictionaries(
        st.sampled_from([ALL_ZONES, *(ZONE_PREFIX + z for z in ZONES)]), st.just("*"), min_size=1
    ),
)
policies = st.lists(
    st.builds(
        Policy,
        st.just("policy"),
        st.booleans(),
        st.dictionaries(st.sampled_from(RESOURCES), inside, min_size=1, max_size=3),
        st.lists(st.sampled_from([*GROUP_IDS, UNKNOWN_GROUP]), max_size=3).map(tuple),
    ),
    max_size=5,
)


def _covers(policy: Policy, zone: str) -> bool:
    """Whether a policy covers a zone, resource by resource."""
    account = ACCOUNT_PREFIX + ZONES[zone]
    for name, value in policy.resources.items():
        if value == "*":
            if name in (ALL_ZONES, ALL_ACCOUNTS, ZONE_PREFIX + zone, account):
                return True
        elif ZONE_PREFIX + zone in value or (
            ALL_ZONES in value and name in (account, ALL_ACCOUNTS)
        ):
            return True
    return False


def _covers_account(policy: Policy, account: str) -> bool:
    """Whether a policy covers an account itself, not only zones in it."""
    return "*" in (policy.resources.get(name) for name in (ALL_ACCOUNTS, ACCOUNT_PREFIX + account))


def _covers_user(policy: Policy, user: str) -> bool:
    return policy.resources.get(USER_PREFIX + user) == "*"


def _naive(
    found: list[Policy], need: Need, name: str, covers: Callable[[Policy, str], bool] = _covers
) -> bool:
    """Whether some policy allows it and none denies it."""
    here = [p for p in found if covers(p, name)]
    groups = {allow: [GROUP_IDS[g] for p in here if p.allow is allow for g in p.groups
                      if g in GROUP_IDS] for allow in (True, False)}  # fmt: skip
    allowed = any(group & need.allowed for group in groups[True])
    return allowed and not any(group & need.denied for group in groups[False])


@given(policies, st.sampled_from(ON_ZONES), st.sampled_from(list(ZONES)))
def test_grants_agree_with_a_naive_evaluation(found: list[Policy], need: Need, zone: str) -> None:
    assert Grants(found).cover_zone(need, zone, ZONES[zone]) == _naive(found, need, zone)


@given(policies, st.sampled_from(ON_ACCOUNTS), st.sampled_from(["a1", "a2", "none"]))
def test_grants_on_accounts_agree_with_a_naive_evaluation(
    found: list[Policy], need: Need, account: str
) -> None:
    expected = _naive(found, need, account, _covers_account)
    assert Grants(found).cover_account(need, account) == expected


@given(policies, st.sampled_from(ON_USERS), st.sampled_from(["u1", "u2"]))
def test_grants_on_users_agree_with_a_naive_evaluation(
    found: list[Policy], need: Need, user: str
) -> None:
    assert Grants(found).cover_user(need, user) == _naive(found, need, user, _covers_user)


@given(policies)
def test_visible_accounts_agree_with_a_naive_evaluation(found: list[Policy]) -> None:
    of_account = any(_naive(found, need, "a1", _covers_account) for need in ON_ACCOUNTS)
    of_zones = any(_naive(found, need, zone) for need in ON_ZONES for zone in ("z1", "z2"))
    grants = Grants(found)
    to_come = any(grants.cover_zones_of(need, "a1") for need in ON_ZONES)
    assert grants.touch_account("a1", ["z1", "z2"]) == (of_account or of_zones or to_come)


@given(policies, st.sampled_from(ON_ZONES))
def test_grants_on_an_account_cover_its_zones_except_denied_ones(
    found: list[Policy], need: Need
) -> None:
    grants = Grants(found)
    denied = [p for p in found if not p.allow]
    for zone, account in ZONES.items():
        named = any(_covers(policy, zone) for policy in denied)
        if grants.cover_zones_of(need, account) and not named:
            assert grants.cover_zone(need, zone, account)


@pytest.mark.proves("D-17")
def test_write_includes_read_and_read_does_not_include_write() -> None:
    reads = Grants([policy(True, [ALL_ZONES], [SETTINGS_READ])])
    writes = Grants([policy(True, [ALL_ZONES], [SETTINGS_WRITE])])
    assert reads.cover_zone(READ_MAPPINGS, "z1", "a1")
    assert not reads.cover_zone(WRITE_MAPPINGS, "z1", "a1")
    assert writes.cover_zone(READ_MAPPINGS, "z1", "a1")
    assert writes.cover_zone(WRITE_MAPPINGS, "z1", "a1")


@pytest.mark.proves("D-25")
def test_deny_takes_precedence_in_any_order() -> None:
    allow = policy(True, [ALL_ZONES], [SETTINGS_WRITE])
    deny = policy(False, [ZONE_PREFIX + "z1"], [SETTINGS_WRITE])
    for order in ([allow, deny], [deny, allow]):
        assert not Grants(order).cover_zone(WRITE_MAPPINGS, "z1", "a1")
        assert Grants(order).cover_zone(READ_MAPPINGS, "z1", "a1")
        assert Grants(order).cover_zone(WRITE_MAPPINGS, "z2", "a1")


def test_a_users_own_key_covers_everything_and_no_policies_cover_nothing() -> None:
    for need in (READ_MAPPINGS, WRITE_MAPPINGS):
        assert EVERYTHING.cover_zone(need, "z1", "a1")
        assert EVERYTHING.cover_zones_of(need, "a1")
        assert not Grants([]).cover_zone(need, "z1", "a1")


def test_an_account_is_visible_with_any_permission_on_it() -> None:
    for name in (ALL_ZONES, ALL_ACCOUNTS, ZONE_PREFIX + "z1", ACCOUNT_PREFIX + "a1"):
        grants = Grants([policy(True, [name], [SETTINGS_READ])])
        assert grants.touch_account("a1", ["z1", "z2"])
    for name in (ZONE_PREFIX + "z3", ACCOUNT_PREFIX + "a2"):
        grants = Grants([policy(True, [name], [SETTINGS_READ])])
        assert not grants.touch_account("a1", ["z1", "z2"])


def test_an_account_is_hidden_if_everything_is_denied() -> None:
    allow = policy(True, [ALL_ACCOUNTS], GROUP_IDS)
    for name in (ALL_ACCOUNTS, ACCOUNT_PREFIX + "a1"):
        deny = policy(False, [name], GROUP_IDS)
        assert not Grants([allow, deny]).touch_account("a1", ["z1", "z2"])
    one_zone = policy(False, [ZONE_PREFIX + "z1"], GROUP_IDS)
    assert Grants([allow, one_zone]).touch_account("a1", ["z1"])

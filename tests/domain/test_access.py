"""Policies: compiled grants agree with a naive reading of the policies."""

from hypothesis import given
from hypothesis import strategies as st

from originmap.domain.access import (
    ACCOUNT_PREFIX,
    ALL_ACCOUNTS,
    ALL_ZONES,
    GROUP_IDS,
    READ_MAPPINGS,
    WRITE_MAPPINGS,
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
    "nonsense",
]
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
    """Whether a policy speaks about a zone, resource by resource."""
    account = ACCOUNT_PREFIX + ZONES[zone]
    for name, value in policy.resources.items():
        if value == "*":
            if name in (ALL_ZONES, ALL_ACCOUNTS, ZONE_PREFIX + zone, account):
                return True
        elif ZONE_PREFIX + zone in value or (ALL_ZONES in value and name == account):
            return True
    return False


def _naive(found: list[Policy], need: Need, zone: str) -> bool:
    """Some policy allows it, and none denies it."""
    here = [p for p in found if _covers(p, zone)]
    groups = {allow: [GROUP_IDS[g] for p in here if p.allow is allow for g in p.groups
                      if g in GROUP_IDS] for allow in (True, False)}  # fmt: skip
    allowed = any(group & need.allowed for group in groups[True])
    return allowed and not any(group & need.denied for group in groups[False])


@given(policies, st.sampled_from([READ_MAPPINGS, WRITE_MAPPINGS]), st.sampled_from(list(ZONES)))
def test_grants_agree_with_a_naive_reading(found: list[Policy], need: Need, zone: str) -> None:
    assert Grants(found).cover_zone(need, zone, ZONES[zone]) == _naive(found, need, zone)


@given(policies, st.sampled_from([READ_MAPPINGS, WRITE_MAPPINGS]))
def test_who_covers_an_account_covers_its_zones_but_those_denied(
    found: list[Policy], need: Need
) -> None:
    grants = Grants(found)
    denied = [p for p in found if not p.allow]
    for zone, account in ZONES.items():
        named = any(_covers(policy, zone) for policy in denied)
        if grants.cover_zones_of(need, account) and not named:
            assert grants.cover_zone(need, zone, account)


def test_write_includes_read_and_read_does_not_include_write() -> None:
    reads = Grants([policy(True, [ALL_ZONES], [SETTINGS_READ])])
    writes = Grants([policy(True, [ALL_ZONES], [SETTINGS_WRITE])])
    assert reads.cover_zone(READ_MAPPINGS, "z1", "a1")
    assert not reads.cover_zone(WRITE_MAPPINGS, "z1", "a1")
    assert writes.cover_zone(READ_MAPPINGS, "z1", "a1")
    assert writes.cover_zone(WRITE_MAPPINGS, "z1", "a1")


def test_deny_wins_whichever_comes_first() -> None:
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


def test_an_account_is_seen_by_whoever_may_do_anything_there() -> None:
    for name in (ALL_ZONES, ALL_ACCOUNTS, ZONE_PREFIX + "z1", ACCOUNT_PREFIX + "a1"):
        grants = Grants([policy(True, [name], [SETTINGS_READ])])
        assert grants.touch_account("a1", ["z1", "z2"])
    for name in (ZONE_PREFIX + "z3", ACCOUNT_PREFIX + "a2"):
        grants = Grants([policy(True, [name], [SETTINGS_READ])])
        assert not grants.touch_account("a1", ["z1", "z2"])


def test_an_account_is_not_seen_where_everything_allowed_is_denied() -> None:
    allow = policy(True, [ALL_ACCOUNTS], GROUP_IDS)
    for name in (ALL_ACCOUNTS, ACCOUNT_PREFIX + "a1"):
        deny = policy(False, [name], GROUP_IDS)
        assert not Grants([allow, deny]).touch_account("a1", ["z1", "z2"])
    one_zone = policy(False, [ZONE_PREFIX + "z1"], GROUP_IDS)
    assert Grants([allow, one_zone]).touch_account("a1", ["z1"])

"""Filters, sort orders and directions of zone lists."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from originmap.domain.zone.filter import ORDERS, ZoneQuery, find, text_matches
from originmap.domain.zone.zone import Account, Zone, ZoneType
from tests.builders import zone

ACCOUNTS = {id_: Account(id_, name, 1) for id_, name in (("a1", "Zeta"), ("a2", "alpha"))}


@pytest.mark.proves("P-ZONE-1")
@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("example.com", "example.com", True),
        ("Example.COM", "example.com", True),
        ("example", "example.com", False),
        ("equal:example.com", "EXAMPLE.com", True),
        ("equal_case_sensitive:example.com", "EXAMPLE.com", False),
        ("not_equal:example.com", "example.com", False),
        ("not_equal:Example.com", "example.com", False),
        ("not_equal_case_sensitive:Example.com", "example.com", True),
        ("starts_with:EX", "example.com", True),
        ("starts_with_case_sensitive:EX", "example.com", False),
        ("ends_with:.COM", "example.com", True),
        ("ends_with:.org", "example.com", False),
        ("ends_with_case_sensitive:.com", "example.com", True),
        ("contains:AMPLE", "example.com", True),
        ("contains_case_sensitive:AMPLE", "example.com", False),
        ("contains:", "example.com", True),
        ("equal:", "example.com", False),
        ("contains:a:b", "xa:by", True),
        ("sounds_like:example.com", "example.com", False),
        ("a:b", "A:B", True),
        ("_case_sensitive:x", "x", False),
        ("", "", True),
    ],
)
def test_operators_and_their_case_sensitivity_are_those_published(
    pattern: str, text: str, found: bool
) -> None:
    assert text_matches(pattern, text) is found


_LABELS = ["a", "B", "ab", "Ab.b", "b.a"]
_OPERATORS = ["equal", "not_equal", "starts_with", "ends_with", "contains"]
_PATTERNS = st.one_of(
    st.sampled_from(_LABELS),
    st.builds(
        "{}{}:{}".format,
        st.sampled_from(_OPERATORS),
        st.sampled_from(["", "_case_sensitive"]),
        st.sampled_from(_LABELS),
    ),
)
_ZONES = st.lists(
    st.builds(
        lambda name, account, type_: replace(
            zone(name=name), id=name, account_id=account, type=type_
        ),
        st.sampled_from([f"{a}{b}" for a, b in itertools.product("abAB", repeat=2)]),
        st.sampled_from(sorted(ACCOUNTS)),
        st.sampled_from(ZoneType),
    ),
    unique_by=lambda made: made.name,
    max_size=8,
)
_QUERIES = st.builds(
    ZoneQuery,
    name=st.none() | _PATTERNS,
    status=st.none() | st.sampled_from(["active", "pending"]),
    types=st.none() | st.lists(st.sampled_from([*ZoneType, "else"]), max_size=3).map(tuple),
    account_id=st.none() | st.sampled_from([*ACCOUNTS, "none"]),
    account_name=st.none() | st.sampled_from(["zeta", "contains:a", "starts_with:AL"]),
    order=st.sampled_from(sorted(ORDERS)),
    descending=st.booleans(),
    any_matches=st.booleans(),
)


def _compared(pattern: str, text: str) -> bool:
    """A naive filter, operator by operator."""
    operator, _, value = pattern.rpartition(":")
    if "case_sensitive" not in operator:
        text, value = text.casefold(), value.casefold()
    if operator.startswith("not_equal"):
        return text != value
    if operator.startswith("starts_with"):
        return text[: len(value)] == value
    if operator.startswith("ends_with"):
        return text[len(text) - len(value) :] == value
    if operator.startswith("contains"):
        return text.find(value) >= 0
    return text == value


def _wanted(found: Zone, query: ZoneQuery) -> bool:
    """The filter of types always applies; all or any of the others must match."""
    shown = [t for t in ZoneType if t != ZoneType.INTERNAL] if query.types is None else query.types
    if found.type not in shown:
        return False
    said = {
        "name": lambda text: _compared(text, found.name),
        "status": lambda text: text == "active",
        "account_id": lambda text: text == found.account_id,
        "account_name": lambda text: _compared(text, ACCOUNTS[found.account_id].name),
    }
    checks = [
        check(getattr(query, n)) for n, check in said.items() if getattr(query, n) is not None
    ]
    if not checks:
        return True
    return True in checks if query.any_matches else False not in checks


@pytest.mark.proves("P-ZONE-1")
@given(_ZONES, _QUERIES)
def test_filters_agree_with_a_naive_implementation(zones: list[Zone], query: ZoneQuery) -> None:
    found = find([(z, ACCOUNTS[z.account_id]) for z in zones], query)
    assert {z.name for z in found} == {z.name for z in zones if _wanted(z, query)}


@pytest.mark.proves("P-ZONE-2")
@given(_ZONES, _QUERIES)
def test_zones_are_sorted_and_ties_are_sorted_by_name(zones: list[Zone], query: ZoneQuery) -> None:
    found = find([(z, ACCOUNTS[z.account_id]) for z in zones], query)
    keys = [ORDERS[query.order](z, ACCOUNTS[z.account_id]) for z in found]
    assert keys == sorted(keys, reverse=query.descending)
    for (key, before), (next_key, after) in itertools.pairwise(zip(keys, found, strict=True)):
        if key == next_key:
            assert before.name < after.name


@given(_ZONES, _QUERIES)
def test_the_order_does_not_depend_on_the_input_order(zones: list[Zone], query: ZoneQuery) -> None:
    pairs = [(z, ACCOUNTS[z.account_id]) for z in zones]
    assert find(pairs, query) == find(reversed(pairs), query)


@pytest.mark.proves("P-ZONE-3")
def test_internal_zones_are_listed_on_request() -> None:
    internal = replace(zone(), type=ZoneType.INTERNAL)
    pair = (internal, ACCOUNTS["a1"])
    assert find([pair], ZoneQuery()) == []
    assert find([pair], ZoneQuery(types=("internal", "full"))) == [internal]

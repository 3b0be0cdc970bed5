"""Patterns: matches and rejected patterns."""

import pytest

from originmap.domain.plan.selection import InvalidPattern, pattern
from tests.builders import CENTRAL, US_EAST, ip


@pytest.mark.parametrize(
    ("text", "address", "place", "matches"),
    [
        ("192.0.2.1", "192.0.2.1", US_EAST, True),
        ("192.0.2.1", "192.0.2.10", US_EAST, False),
        ("2001:DB8:0::1", "2001:db8::1", US_EAST, True),
        ("192.0.2.*", "192.0.2.200", US_EAST, True),
        ("192.0.2.*", "192.0.20.1", US_EAST, False),
        ("2001:db8:*", "2001:db8::1", US_EAST, True),
        ("*", "2001:db8::1", CENTRAL, True),
        ("10.0.0.0/8", "10.255.255.255", US_EAST, True),
        ("10.0.0.0/8", "11.0.0.0", US_EAST, False),
        ("10.0.0.0/8", "2001:db8::1", US_EAST, False),
        ("2001:db8::/32", "2001:db8:ffff::1", US_EAST, True),
        ("aws/*", "192.0.2.1", US_EAST, True),
        ("aws/*", "192.0.2.1", CENTRAL, False),
        ("*/us-*", "192.0.2.1", CENTRAL, True),
        ("aws/us-east-1", "192.0.2.1", US_EAST, True),
    ],
)
def test_a_pattern_matches_by_block_region_or_address(text, address, place, matches) -> None:
    assert pattern(text).matches(ip(address), place) is matches


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "192.0.2.1 ",
        "10.0.0.1/8",
        "10.0.0.0/33",
        "0.0.0.0/0",
        "a/b/c",
        "example.com",
        "xyz*",
    ],
)
def test_a_pattern_that_cannot_match_is_rejected(text: str) -> None:
    with pytest.raises(InvalidPattern):
        pattern(text)

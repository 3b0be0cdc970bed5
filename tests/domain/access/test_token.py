"""Tokens: from where and when they can be used, and what is kept of a secret."""

import hashlib
import ipaddress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from originmap.domain.access.token import RequestIP, Token, TokenStatus, hash_secret
from tests.builders import token

T = 1_700_000_000_000_000
TOKEN = token("t")


@pytest.mark.parametrize(
    ("prefix", "client", "within"),
    [
        ("192.0.2.0/24", "192.0.2.0", True),
        ("192.0.2.0/24", "192.0.2.255", True),
        ("192.0.2.0/24", "192.0.3.0", False),
        ("192.0.2.7", "192.0.2.7", True),
        ("192.0.2.7/32", "192.0.2.8", False),
        ("0.0.0.0/0", "203.0.113.1", True),
        ("0.0.0.0/0", "2001:db8::1", False),
        ("2001:db8::/32", "2001:db8:ffff::1", True),
        ("2001:db8::/32", "2001:db9::", False),
        ("2001:db8::1", "2001:DB8:0::1", True),
        ("::/0", "2001:db8::1", True),
        ("::/0", "192.0.2.1", False),
        ("192.0.2.0/24", "::ffff:192.0.2.1", True),
        ("192.0.2.0/24", "::ffff:192.0.3.1", False),
        ("::ffff:192.0.2.0/120", "192.0.2.1", True),
        ("::ffff:192.0.2.0/120", "::ffff:c000:0201", True),
        ("::ffff:192.0.2.0/120", "192.0.3.1", False),
        ("::ffff:0:0/96", "203.0.113.1", True),
        ("fe80::/10", "fe80::1%eth0", True),
    ],
)
def test_a_prefix_holds_the_addresses_in_it_in_any_spelling(
    prefix: str, client: str, within: bool
) -> None:
    assert RequestIP(in_=(prefix,)).admits(client) == within
    assert RequestIP(not_in=(prefix,)).admits(client) != within


def test_not_in_takes_away_from_in() -> None:
    limits = RequestIP(("192.0.2.0/24", "2001:db8::/32"), ("192.0.2.128/25",))
    assert limits.admits("192.0.2.127")
    assert limits.admits("2001:db8::1")
    assert not limits.admits("192.0.2.128")
    assert not limits.admits("198.51.100.1")


def test_no_list_allows_every_address_and_an_empty_list_none() -> None:
    assert RequestIP().admits("192.0.2.1")
    assert not RequestIP(in_=()).admits("192.0.2.1")
    assert RequestIP(not_in=()).admits("192.0.2.1")


@pytest.mark.parametrize("client", ["", "unix", "192.0.2", "192.0.2.1:443", "[::1]"])
def test_a_client_without_an_address_is_refused(client: str) -> None:
    assert not RequestIP(not_in=("192.0.2.0/24",)).admits(client)


def _spelled(bits: int, mapped: bool) -> str:
    """Small numbers are IPv4 addresses, plain or mapped; the others IPv6."""
    if bits < 1 << 32:
        plain = str(ipaddress.IPv4Address(bits))
        return f"::ffff:{plain}" if mapped else plain
    return str(ipaddress.IPv6Address(bits))


_V4 = st.integers(0xC0000200, 0xC00002FF)  # 192.0.2.0/24
_V6 = st.integers(0x20010DB8 << 96, (0x20010DB8 << 96) + 255)
_ADDRESSES = st.tuples(st.one_of(_V4, _V6), st.booleans())


@st.composite
def _prefixes(draw: st.DrawFn) -> tuple[int, int, str]:
    """The first address, how many bits are free, and the text."""
    bits, mapped = draw(_ADDRESSES)
    free = draw(st.integers(0, 10))
    first = bits >> free << free
    whole = 128 if mapped or bits >= 1 << 32 else 32
    return first, free, f"{_spelled(first, mapped)}/{whole - free}"


_LISTS = st.none() | st.lists(_prefixes(), max_size=4)


@pytest.mark.proves("P-TOKEN-7")
@given(_ADDRESSES, _LISTS, _LISTS)
def test_conditions_agree_with_comparing_bits(
    address: tuple[int, bool],
    in_: list[tuple[int, int, str]] | None,
    not_in: list[tuple[int, int, str]] | None,
) -> None:
    bits = address[0]

    def holds(found: list[tuple[int, int, str]]) -> bool:
        return any(bits >> free == first >> free for first, free, _ in found)

    def texts(found: list[tuple[int, int, str]] | None) -> tuple[str, ...] | None:
        return None if found is None else tuple(text for _, _, text in found)

    expected = (in_ is None or holds(in_)) and (not_in is None or not holds(not_in))
    assert RequestIP(texts(in_), texts(not_in)).admits(_spelled(*address)) == expected


@pytest.mark.proves("P-TOKEN-8")
@pytest.mark.parametrize(
    ("limits", "usable"),
    [
        ({}, (True, True, True)),
        ({"not_before": T}, (False, True, True)),
        ({"expires_on": T}, (True, False, False)),
        ({"not_before": T, "expires_on": T + 1}, (False, True, False)),
        ({"disabled": True}, (False, False, False)),
    ],
)
def test_a_token_works_from_not_before_on_and_before_expires_on(
    limits: dict[str, int], usable: tuple[bool, bool, bool]
) -> None:
    limited = replace(TOKEN, **limits)
    assert tuple(limited.usable(T + step) for step in (-1, 0, 1)) == usable


@pytest.mark.proves("P-TOKEN-8")
@pytest.mark.parametrize(
    ("limited", "status"),
    [
        (TOKEN, TokenStatus.ACTIVE),
        (replace(TOKEN, disabled=True), TokenStatus.DISABLED),
        (replace(TOKEN, disabled=True, expires_on=T), TokenStatus.DISABLED),
        (replace(TOKEN, expires_on=T), TokenStatus.EXPIRED),
        (replace(TOKEN, expires_on=T + 1), TokenStatus.ACTIVE),
        (replace(TOKEN, not_before=T + 1), TokenStatus.ACTIVE),
    ],
)
def test_the_status_is_one_of_the_three_published(limited: Token, status: TokenStatus) -> None:
    assert limited.status(T) is status


@given(
    st.booleans(), st.none() | st.integers(0, 9), st.none() | st.integers(0, 9), st.integers(0, 9)
)
def test_only_a_conditional_token_can_be_unusable(
    disabled: bool, not_before: int | None, expires_on: int | None, now: int
) -> None:
    limited = replace(TOKEN, disabled=disabled, not_before=not_before, expires_on=expires_on)
    assert limited.usable(now) or limited.conditional


def test_a_token_for_some_addresses_is_conditional_and_a_plain_one_is_not() -> None:
    assert replace(TOKEN, request_ip=RequestIP()).conditional
    assert not TOKEN.conditional


def test_of_a_secret_its_sha_256_is_kept() -> None:
    assert hash_secret("secret") == hashlib.sha256(b"secret").hexdigest()

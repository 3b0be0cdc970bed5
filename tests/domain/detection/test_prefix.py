"""Prefixes: read exactly, written in one way, and refused when they cannot be a vendor's."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from originmap.domain.detection import prefix
from originmap.domain.detection.prefix import InvalidPrefix, Prefix
from tests.builders import ip


def networks(version: int, shortest: int, width: int) -> st.SearchStrategy[str]:
    lengths = st.integers(shortest, width)
    addresses = st.ip_addresses(v=version).filter(
        lambda ip: not (ip.is_multicast or ip.is_unspecified)
    )
    return st.tuples(addresses, lengths).map(
        lambda pair: str(ipaddress.ip_network(pair, strict=False))
    )


@given(st.one_of(networks(4, 8, 32), networks(6, 16, 128)))
def test_a_prefix_is_parsed_like_the_standard_library(text: str) -> None:
    network = ipaddress.ip_network(text)
    try:
        found = prefix.parse(text)
    except InvalidPrefix:
        # What no origin can have, 255.255.255.255 or addresses that embed IPv4, is no prefix.
        assert "no prefix" in str(refusal(text)) or getattr(network[0], "ipv4_mapped", None)
        return
    assert found.length == network.prefixlen
    assert prefix.after(found) - prefix.number(found.start) == network.num_addresses
    assert ipaddress.ip_network(prefix.of(*found)) == network


@given(networks(4, 8, 30))
def test_every_address_of_a_prefix_leads_back_to_it(text: str) -> None:
    network = ipaddress.ip_network(text)
    if network[0] in (ipaddress.ip_address("0.0.0.0"),):
        return
    assert prefix.of(ip(str(network[1])), network.prefixlen) == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("192.0.2.1/24", "'192.0.2.1/24' has bits set behind its length; 192.0.2.0/24 has not"),
        (
            "2001:db8::1/64",
            "'2001:db8::1/64' has bits set behind its length; 2001:db8::/64 has not",
        ),
        ("192.0.2.0/33", "'192.0.2.0/33' has no length from 0 to 32"),
        ("192.0.2.0", "'192.0.2.0' has no length from 0 to 32"),
        ("192.0.2.0/", "'192.0.2.0/' has no length from 0 to 32"),
        ("192.0.2.0/024", "'192.0.2.0/024' has no length from 0 to 32"),
        ("192.0.2.0/+24", "'192.0.2.0/+24' has no length from 0 to 32"),
        ("192.0.2.0/24/24", "'192.0.2.0/24/24' has no length from 0 to 32"),
        ("::ffff:192.0.2.0/120", "'::ffff:192.0.2.0/120' has no length from 0 to 32"),
        ("128.0.0.0/1", "'128.0.0.0/1' covers more than any vendor has"),
        ("2000::/3", "'2000::/3' covers more than any vendor has"),
        ("0.0.0.0/0", "'0.0.0.0/0' is no prefix of addresses that an origin can have"),
        ("", "'' is no prefix of addresses that an origin can have"),
        ("x" * 999, f"'{'x' * 60}' is no prefix of addresses that an origin can have"),
    ],
)
def test_an_invalid_prefix_is_refused(text: str, reason: str) -> None:
    assert str(refusal(text)) == reason


def test_addresses_sort_as_their_numbers_in_both_families() -> None:
    spelled = ["0.0.0.1", "192.0.2.1", "255.255.255.254", "::1", "2001:db8::1"]
    numbers = [prefix.number(ip(text)) for text in spelled]
    assert numbers == sorted(numbers)
    assert prefix.after(Prefix(ip("255.255.255.254"), 31)) < prefix.number(ip("::1"))


def refusal(text: str) -> InvalidPrefix:
    with pytest.raises(InvalidPrefix) as caught:
        prefix.parse(text)
    return caught.value

"""Addresses: canonical form, order, and rejection of invalid ones."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from originmap.domain.errors import InvalidAddress
from originmap.domain.mapping import address

V4 = st.ip_addresses(v=4)
V6 = st.ip_addresses(v=6)


def _is_origin(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """The same rule, implemented with the standard library."""
    if isinstance(ip, ipaddress.IPv6Address):
        low = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if ip.ipv4_mapped or int(ip) >> 32 == 0:
            return _is_origin(low)
        return not ip.is_multicast
    broadcast = ipaddress.IPv4Address("255.255.255.255")
    return not (ip.is_unspecified or ip.is_multicast or ip == broadcast)


@pytest.mark.proves("P-GEN-5")
@given(st.one_of(V4, V6, st.integers(0, 2**32 - 1).map(ipaddress.IPv6Address)))
def test_every_address_is_formatted_by_rfc_5952(
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if not _is_origin(ip):
        with pytest.raises(InvalidAddress):
            address.parse(str(ip))
        return
    expected = getattr(ip, "ipv4_mapped", None) or ip
    assert address.text(address.parse(str(ip))) == str(expected)


@given(V6.filter(_is_origin))
def test_all_spellings_of_an_address_are_one_address(ip: ipaddress.IPv6Address) -> None:
    spellings = {str(ip), ip.exploded, ip.exploded.upper(), str(ip).upper()}
    assert len({address.parse(spelling) for spelling in spellings}) == 1


@given(st.lists(st.one_of(V4, V6).filter(_is_origin)))
def test_addresses_sort_ipv4_before_ipv6_then_by_number(
    ips: list[ipaddress.IPv4Address | ipaddress.IPv6Address],
) -> None:
    def by_number(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> tuple[int, int]:
        real = getattr(ip, "ipv4_mapped", None) or ip
        return real.version, int(real)

    expected = [address.parse(str(ip)) for ip in sorted(ips, key=by_number)]
    assert sorted(address.parse(str(ip)) for ip in ips) == expected


@pytest.mark.proves("D-12")
@pytest.mark.parametrize(
    ("spelling", "canonical"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("255.255.255.254", "255.255.255.254"),
        ("240.0.0.1", "240.0.0.1"),
        ("127.0.0.1", "127.0.0.1"),
        ("10.0.0.1", "10.0.0.1"),
        ("0.0.0.1", "0.0.0.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:C000:201", "192.0.2.1"),
        ("0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("::1", "::1"),
        ("::1:2", "::1:2"),
        ("::1.2.3.4", "::102:304"),
        ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
        ("fe80::1", "fe80::1"),
    ],
)
def test_common_spellings_are_parsed(spelling: str, canonical: str) -> None:
    assert address.text(address.parse(spelling)) == canonical


@pytest.mark.proves("D-13", "D-14", "D-53")
@pytest.mark.parametrize(
    "spelling",
    [
        "", " ", "192.0.2.1 ", " 192.0.2.1", "192.0.2", "192.0.2.256", "192.0.2.01", "0300.0.2.1",
        "0xC0.0.2.1", "3221225985", "192.0.2.1/32", "192.0.2.1:80", "[2001:db8::1]",
        "2001:db8::1/64", "fe80::1%eth0", "fe80::1%25eth0", "2001:db8:::1", "2001:db8::1::2",
        "12345::", "::ffff:192.0.2.01", "１９２.0.2.1", "192.0.2.1\n", "192.0.2.1\0", "\ud800",
        "::ffff:0.0.0.0", "::ffff:224.0.0.1", "::255.255.255.255", "::224.0.0.1", "0.0.0.0", "::",
        "224.0.0.1", "239.255.255.255", "255.255.255.255", "ff02::1", "ff00::", "1" * 5000,
        "example.com", "batch",
    ],
)  # fmt: skip
def test_an_address_that_an_origin_cannot_have_is_rejected(spelling: str) -> None:
    with pytest.raises(InvalidAddress) as caught:
        address.parse(spelling)
    assert caught.value.text == spelling


@pytest.mark.parametrize("value", [None, 5, 1.5, b"192.0.2.1", ["192.0.2.1"], {}])
def test_a_value_that_is_not_a_string_is_rejected(value: object) -> None:
    with pytest.raises(InvalidAddress):
        address.parse(value)

"""The documentation addresses of a run (RFC 5737, RFC 3849).

All are from small fixed ranges, so that what an interrupted run left behind can be told from other
mappings. Addresses that have a mapping already are never used.
"""

import ipaddress
from collections.abc import Collection, Iterable, Iterator

from originmap.domain.errors import InvalidAddress
from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.address import Address

RANGES = {
    "": "198.51.100.128/25",
    "192.0.2": "192.0.2.64/28",
    "198.51.100": "198.51.100.64/28",
    "203.0.113": "203.0.113.64/28",
    "2001:db8": "2001:db8:7665:7269:6679::/112",
}
"""By how an address starts; "" stands for any IPv4 address. The IPv6 range spells verify."""

DOCUMENTATION = tuple(
    map(ipaddress.ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"))
)
DOCUMENTATION_V6 = ipaddress.ip_network("2001:db8::/32")

REFUSED = ("0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "ff02::1")  # noqa: S104 (not bound)
REFUSED_FORMS = ("::ffff:224.0.0.1", "::224.0.0.1", "::ffff:0.0.0.0", "::255.255.255.255")
TAKEN = ("127.0.0.1", "192.168.255.254", "::1")
ZERO_PADDED = "192.0.02.64"
"""Addresses that are only read, because they are not for documentation."""


class AddressPool:
    """The addresses that a run can use; each is given out once."""

    def __init__(self, used: Collection[Address]) -> None:
        """`used` have a mapping already."""
        self._free = {start: _free(network, used) for start, network in RANGES.items()}

    def take(self, start: str) -> str | None:
        """A free address of one of RANGES, in canonical form; None if there is none."""
        return next(self._free[start], None)


def canonical(text: str) -> Address | None:
    """The address of a text; None if it is none."""
    try:
        return addresses.parse(text)
    except InvalidAddress:
        return None


def left_by_another_run(listed: Iterable[str]) -> list[str]:
    """Those of the zone's addresses that are in the ranges of this module."""
    ranges = [ipaddress.ip_network(each) for each in RANGES.values()]
    found = []
    for text in listed:
        address = canonical(text)
        if address is not None:
            parsed = ipaddress.ip_address(address[1:])
            if any(parsed in each for each in ranges):
                found.append(text)
    return found


def _free(network: str, used: Collection[Address]) -> Iterator[str]:
    for host in ipaddress.ip_network(network).hosts():
        if canonical(str(host)) not in used:
            yield str(host)

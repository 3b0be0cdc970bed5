"""Which addresses a webhook can be sent to: those that are reachable from the whole Internet.

Otherwise the one that creates a hook could reach services that trust the server's network
(server-side request forgery).
"""

import ipaddress

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""RFC 6052 §2.1: a gateway turns the last four bytes into an IPv4 address."""


def is_public(text: str) -> bool:
    """Whether an IP address is global by the IANA registries of special-purpose addresses, and so
    is any IPv4 address in it. Multicast is not."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return all(each.is_global and not each.is_multicast for each in (address, *_inside(address)))


def _inside(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> tuple[ipaddress.IPv4Address, ...]:
    """The IPv4 addresses that packets to an IPv6 address may be forwarded to."""
    if isinstance(address, ipaddress.IPv4Address):
        return ()
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return tuple(each for each in found if each is not None)

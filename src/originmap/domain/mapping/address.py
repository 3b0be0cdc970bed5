"""Canonical form of an origin address.

The only module that parses or formats addresses. RFC 5952 decides how IPv6 is written; two
spellings of one address must never become two rows.

An address is a byte string: one byte for the family (4 or 6), then the 4 or 16 bytes of the
address. Sorted as bytes, addresses have the order of lists: IPv4 before IPv6, then by number.
"""

from functools import lru_cache
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import NewType

from originmap.domain.errors import InvalidAddress

Address = NewType("Address", bytes)

# The longest spelling of an address: "ffff:" six times and a dotted quad are 45 characters.
_LONGEST = 45
_MOST = 8192  # cached addresses: a zone has up to 3,500, which are used again and again
_MAPPED = b"\0" * 10 + b"\xff\xff"  # ::ffff:0:0/96, RFC 4291 §2.5.5.2
_COMPATIBLE = b"\0" * 12  # ::/96, RFC 4291 §2.5.5.1
_BROADCAST = b"\xff\xff\xff\xff"


def parse(text: object) -> Address:
    """Parse an address. An IPv4-mapped IPv6 address becomes the IPv4 address.

    Raises InvalidAddress for any other text: with a zone id, mask, port, bracket or blank, leading
    zeros, or digits outside ASCII. Also for addresses that an origin cannot have: the unspecified
    address, multicast and 255.255.255.255, in their mapped and compatible forms too.
    """
    if not isinstance(text, str) or len(text) > _LONGEST:
        raise InvalidAddress(text)
    return _parsed(text)


@lru_cache(maxsize=_MOST)
def _parsed(text: str) -> Address:
    try:
        if ":" not in text:
            return _from_v4(inet_pton(AF_INET, text), text)
        packed = inet_pton(AF_INET6, text)
    except (OSError, ValueError):
        raise InvalidAddress(text) from None
    if packed.startswith(_MAPPED):
        return _from_v4(packed[12:], text)
    if packed[0] == 0xFF or (packed.startswith(_COMPATIBLE) and _refused_v4(packed[12:])):
        raise InvalidAddress(text)
    return Address(b"\x06" + packed)


@lru_cache(maxsize=_MOST)
def text(address: Address) -> str:
    """The canonical text of `address`: dotted decimal, or RFC 5952 §4."""
    if address[0] == 4:
        _, first, second, third, fourth = address
        return f"{first}.{second}.{third}.{fourth}"
    packed = address[1:]
    if packed.startswith(_COMPATIBLE):
        return _low_v6(packed)
    return inet_ntop(AF_INET6, packed)


def _from_v4(packed: bytes, text: str) -> Address:
    if _refused_v4(packed):
        raise InvalidAddress(text)
    return Address(b"\x04" + packed)


def _refused_v4(packed: bytes) -> bool:
    """0.0.0.0, 224.0.0.0/4 (RFC 5771) and the limited broadcast address (RFC 919 §7)."""
    return packed == b"\0\0\0\0" or 224 <= packed[0] < 240 or packed == _BROADCAST


def _low_v6(packed: bytes) -> str:
    """Format an address in ::/96. C libraries use the dotted form for it, which RFC 5952 §5
    reserves for addresses that embed IPv4: glibc prints ::1:2 as ::0.1.0.2.
    """
    high, low = int.from_bytes(packed[12:14], "big"), int.from_bytes(packed[14:], "big")
    return f"::{high:x}:{low:x}" if high else f"::{low:x}"

"""A prefix: the block of addresses that share their first bits, written 192.0.2.0/24.

Owns parsing and formatting of prefixes, and their numeric order. `domain.mapping.address` parses
and formats the address in a prefix.
"""

from typing import NamedTuple

from originmap.domain.errors import InvalidAddress
from originmap.domain.mapping import address
from originmap.domain.mapping.address import Address

_LENGTHS = {str(length): length for length in range(129)}
# No vendor has a larger block: the shortest published prefixes are /11 and /32.
_SHORTEST = {4: 8, 6: 16}


class InvalidPrefix(ValueError):
    """Not a prefix that a vendor's list can contain; the message says why."""


class Prefix(NamedTuple):
    """The block of addresses that share their first `length` bits with `start`."""

    start: Address
    length: int


def parse(text: str) -> Prefix:
    """Parse a prefix. Raises InvalidPrefix, also for a prefix with host bits set."""
    start_text, slash, digits = text.partition("/")
    try:
        start = address.parse(start_text)
    except InvalidAddress:
        raise InvalidPrefix(f"{text[:60]!r} is not a prefix of origin IP addresses") from None
    length = _LENGTHS.get(digits, -1) if slash else -1
    width = bits(start)
    if not 0 <= length <= width:
        raise InvalidPrefix(f"{text[:60]!r} needs a prefix length from 0 to {width}")
    if length < (shortest := _SHORTEST[start[0]]):
        raise InvalidPrefix(f"{text!r} is too large: the prefix length is at least {shortest}")
    if int.from_bytes(start) & ((1 << (width - length)) - 1):
        raise InvalidPrefix(f"{text!r} has host bits set: write {of(start, length)}")
    return Prefix(start, length)


def parse_network(text: str) -> Prefix:
    """Parse a prefix of a geofeed, in which an address stands for itself (RFC 8805 §2.1.1.1).
    Raises InvalidPrefix."""
    return parse(text if "/" in text else f"{text}/{128 if ':' in text else 32}")


def of(start: Address, length: int) -> str:
    """The text of the prefix of this length that contains an address."""
    unset = bits(start) - length
    first = int.from_bytes(start) >> unset << unset
    return f"{address.text(Address(first.to_bytes(len(start))))}/{length}"


def bits(start: Address) -> int:
    """The length in bits of an address of this family."""
    return 32 if start[0] == 4 else 128


def number(start: Address) -> int:
    """An address as a number; numbers of both families sort in the order of addresses."""
    return int.from_bytes(start)


def after(prefix: Prefix) -> int:
    """The number after the last address of a prefix."""
    return int.from_bytes(prefix.start) + (1 << (bits(prefix.start) - prefix.length))

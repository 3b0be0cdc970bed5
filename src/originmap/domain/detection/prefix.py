"""A prefix: the block of addresses that share their first bits, written 192.0.2.0/24.

Owns reading and writing of prefixes and their order as numbers; the address in one is read and
written by domain.address.
"""

from typing import NamedTuple

from originmap.domain.errors import InvalidAddress
from originmap.domain.mapping import address
from originmap.domain.mapping.address import Address

_LENGTHS = {str(length): length for length in range(129)}
# No vendor of clouds holds more in one block: the shortest published prefixes are /11 and /32.
_SHORTEST = {4: 8, 6: 16}


class InvalidPrefix(ValueError):
    """Not a prefix that a vendor's list can hold; the text says why."""


class Prefix(NamedTuple):
    """The block of addresses that share their first `length` bits with `start`."""

    start: Address
    length: int


def parse(text: str) -> Prefix:
    """The prefix that `text` spells. Raises InvalidPrefix, also for one with host bits."""
    spelled, slash, digits = text.partition("/")
    try:
        start = address.parse(spelled)
    except InvalidAddress:
        raise InvalidPrefix(
            f"{text[:60]!r} is no prefix of addresses that an origin can have"
        ) from None
    length = _LENGTHS.get(digits, -1) if slash else -1
    width = bits(start)
    if not 0 <= length <= width:
        raise InvalidPrefix(f"{text[:60]!r} has no length from 0 to {width}")
    if length < _SHORTEST[start[0]]:
        raise InvalidPrefix(f"{text!r} covers more than any vendor has")
    if int.from_bytes(start) & ((1 << (width - length)) - 1):
        raise InvalidPrefix(f"{text!r} has bits set behind its length; {of(start, length)} has not")
    return Prefix(start, length)


def of(start: Address, length: int) -> str:
    """The text of the prefix of this length that an address is in."""
    unset = bits(start) - length
    first = int.from_bytes(start) >> unset << unset
    return f"{address.text(Address(first.to_bytes(len(start))))}/{length}"


def bits(start: Address) -> int:
    """How long an address of this family is."""
    return 32 if start[0] == 4 else 128


def number(start: Address) -> int:
    """An address as a number, by which addresses of both families are in order."""
    return int.from_bytes(start)


def after(prefix: Prefix) -> int:
    """The number behind the last address of a prefix."""
    return int.from_bytes(prefix.start) + (1 << (bits(prefix.start) - prefix.length))

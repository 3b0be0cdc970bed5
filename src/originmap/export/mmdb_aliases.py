"""IPv6 networks that are aliases of IPv4 addresses in an MMDB, as in MaxMind's databases.

A reader with a dual-stack socket looks up 192.0.2.1 as ::ffff:192.0.2.1. MaxMind's writers point
three networks at the IPv4 part of the tree (MaxMind::DB::Writer::Tree, alias_ipv6_to_ipv4):

    ::ffff:0:0/96    IPv4-mapped addresses    RFC 4291 section 2.5.5.2
    2001::/32        Teredo                   RFC 4380
    2002::/16        6to4                     RFC 3056

An origin with such an IPv6 address keeps its own record; the rest of the network remains an alias.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_BITS, _V4_BITS = 128, 32


class Alias(NamedTuple):
    """A network, by its first address and prefix length, that is an alias of the IPv4 addresses
    with one prefix of `depth` bits. `position` is the index of the first of them."""

    first: int
    length: int
    position: int
    depth: int


_NETWORKS = ((0xFFFF << 32, 96), (0x2001 << 112, 32), (0x2002 << 112, 16))


def aliases(v4: "array[int]", own: Sequence[int]) -> Iterator[Alias]:
    """The aliases of addresses in `v4`, in order. `v4` has the IPv4 addresses, `own` the IPv6
    addresses with their own record, both sorted."""
    for first, length in _NETWORKS:
        yield from _split(v4, own, first, length, length)


def within(address: int) -> bool:
    """Whether an IPv6 address is in one of the networks."""
    return any(_network(address, length) == first for first, length in _NETWORKS)


def _split(
    v4: "array[int]", own: Sequence[int], first: int, length: int, start: int
) -> Iterator[Alias]:
    """The aliases in a network whose IPv4 address starts after `start` bits: the whole network, or
    the parts of it without `own` addresses."""
    depth = min(length - start, _V4_BITS)
    prefix = (first >> (_BITS - start - depth)) & ((1 << depth) - 1)
    index = bisect_left(v4, prefix << (_V4_BITS - depth))
    if index == len(v4) or v4[index] >> (_V4_BITS - depth) != prefix:
        return
    position = bisect_left(own, first)
    if position == len(own) or _network(own[position], length) != first:
        yield Alias(first, length, index, depth)
    elif length < _BITS:
        half = 1 << (_BITS - length - 1)
        yield from _split(v4, own, first, length + 1, start)
        yield from _split(v4, own, first | half, length + 1, start)


def _network(address: int, length: int) -> int:
    """The first address of the network of this length that contains an address."""
    return address >> (_BITS - length) << (_BITS - length)

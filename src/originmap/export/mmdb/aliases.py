"""IPv6 networks that are aliases of IPv4 addresses in an MMDB, as in MaxMind's databases.

A reader with a dual-stack socket looks up 192.0.2.1 as ::ffff:192.0.2.1. MaxMind's writers point
three networks at the IPv4 part of the tree (MaxMind::DB::Writer::Tree, alias_ipv6_to_ipv4):

    ::ffff:0:0/96    IPv4-mapped addresses    RFC 4291 section 2.5.5.2
    2001::/32        Teredo                   RFC 4380
    2002::/16        6to4                     RFC 3056

An origin with such an IPv6 address keeps its own record; the rest of the network remains an alias.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

BITS, V4_BITS = 128, 32
NETWORKS = ((0xFFFF << 32, 96), (0x2001 << 112, 32), (0x2002 << 112, 16))
"""The first addresses and prefix lengths."""


class Alias(NamedTuple):
    """A network that is an alias of a network of IPv4 addresses. Both are given by their first
    address and the number of bits after the prefix."""

    first: int
    bits: int
    v4_first: int
    v4_bits: int


def aliases(exists: Callable[[int, int], bool], own: Sequence[int]) -> Iterator[Alias]:
    """The aliases in order. `exists` says whether an IPv4 network has addresses; `own` has the IPv6
    addresses with their own record, sorted."""
    for first, length in NETWORKS:
        yield from _split(exists, own, first, BITS - length, length)


def _split(
    exists: Callable[[int, int], bool], own: Sequence[int], first: int, bits: int, start: int
) -> Iterator[Alias]:
    """The aliases in a network whose IPv4 address starts after `start` bits: the whole network, or
    the parts of it without `own` addresses."""
    v4_bits = max(V4_BITS - (BITS - bits - start), 0)
    v4_first = (first >> (BITS - V4_BITS - start)) & ((1 << V4_BITS) - 1)
    if not exists(v4_first, v4_bits):
        return
    position = bisect_left(own, first)
    if position == len(own) or own[position] >> bits != first >> bits:
        yield Alias(first, bits, v4_first, v4_bits)
    elif bits:
        yield from _split(exists, own, first, bits - 1, start)
        yield from _split(exists, own, first | 1 << (bits - 1), bits - 1, start)

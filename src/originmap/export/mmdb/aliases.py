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


class Own(NamedTuple):
    """Networks, or addresses, with records of their own, sorted."""

    firsts: Sequence[int]
    bits: Sequence[int]


def around(first: int, bits: int) -> int | None:
    """The prefix length of the network in NETWORKS that contains this one, if any."""
    for start, length in NETWORKS:
        if bits <= BITS - length and first >> BITS - length == start >> BITS - length:
            return length
    return None


def aliases(
    exists: Callable[[int, int], bool], own: Own, first: int, bits: int, length: int
) -> Iterator[Alias]:
    """The aliases in a network, in order: all of it, or the parts of it that are not `own`.

    `length` is the prefix length of the network in NETWORKS that it is in: the IPv4 address
    follows. `exists` says whether an IPv4 network has addresses.
    """
    v4_bits = max(V4_BITS - (BITS - bits - length), 0)
    v4_first = (first >> (BITS - V4_BITS - length)) & ((1 << V4_BITS) - 1)
    if not exists(v4_first, v4_bits):
        return
    at = bisect_left(own.firsts, first)
    if at == len(own.firsts) or own.firsts[at] >> bits != first >> bits:
        yield Alias(first, bits, v4_first, v4_bits)
    elif own.bits[at] != bits:
        yield from aliases(exists, own, first, bits - 1, length)
        yield from aliases(exists, own, first | 1 << (bits - 1), bits - 1, length)

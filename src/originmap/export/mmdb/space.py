"""The addresses of one family and the numbers of their values, in blocks of neighbours.

A block is the largest network with at most MOST addresses. So the blocks follow from the addresses
alone, whatever changes led to them, and a change of an address changes few blocks.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from struct import Struct
from typing import NamedTuple

MOST = 512
"""Addresses in a block. With fewer there are too many blocks; with more a change takes longer."""


class AddressFamily(NamedTuple):
    """An address family: the bits of an address, and the networks, by first address and prefix
    length, whose addresses are not in one block with others."""

    bits: int
    entry: Struct  # an address, and the number of its value
    apart: tuple[tuple[int, int], ...] = ()


class Block:
    """The addresses in a network, which is given by its first address and the number of bits after
    its prefix, as entries one after another."""

    __slots__ = ("aliases", "base", "bits", "entries", "family", "first", "size", "used")

    def __init__(self, family: AddressFamily, first: int, bits: int, entries: bytes) -> None:
        self.family, self.first, self.bits, self.entries = family, first, bits, entries
        self.size = 0  # number of nodes, 0 if not measured
        self.used = 0  # the values, as bits
        self.base = -1  # number of its first node in the file, -1 if it is not there
        self.aliases: object = None  # what its aliases of IPv4 addresses depend on, if it has any

    def addresses(self) -> tuple[list[int], list[int]]:
        """The addresses, and the numbers of their values."""
        rows = list(self.family.entry.iter_unpack(self.entries))
        return [_number(key) for key, _ in rows], [value for _, value in rows]

    def has_addresses(self, first: int, bits: int) -> bool:
        """Whether it has addresses in a network."""
        at = self.family.entry.size * _position(self.family, self.entries, first)
        key = self.entries[at : at + self.family.bits // 8]
        return bool(key) and _number(key) >> bits == first >> bits


class Space:
    """All addresses of a family."""

    def __init__(self, family: AddressFamily) -> None:
        self.family = family
        self.blocks: list[Block] = []
        self._firsts: list[int] = []

    def load(self, entries: bytes) -> Iterator[None]:
        """Replace all addresses by these, which are sorted; a step for each block."""
        self._put(0, len(self.blocks), ())
        for block in self._divided(entries, 0, self.family.bits):
            self.blocks.append(block)
            self._firsts.append(block.first)
            yield

    def change(self, values: Mapping[bytes, int | None]) -> Iterator[None]:
        """Set the values of addresses, and remove those with None; a step for each network that
        changes."""
        ahead = sorted(values)
        while ahead:
            first, bits = self._network(_number(ahead[0]))
            inside = bisect_left(ahead, first + (1 << bits), key=_number)
            low, high = self._span(first, bits)
            before = b"".join(block.entries for block in self.blocks[low:high])
            found: dict[bytes, int | None] = dict(self.family.entry.iter_unpack(before))
            found.update((key, values[key]) for key in ahead[:inside])
            pack = self.family.entry.pack
            entries = [pack(key, found[key]) for key in sorted(found) if found[key] is not None]
            self._put(low, high, ())
            self._add(first, bits, b"".join(entries))
            ahead = ahead[inside:]
            yield

    def covering(self, first: int, bits: int) -> Sequence[Block]:
        """The blocks in a network, or the block that the network is in."""
        low, high = self._span(first, bits)
        if low == high and low:
            before = self.blocks[low - 1]
            if before.first >> before.bits == first >> before.bits:
                return (before,)
        return self.blocks[low:high]

    def _network(self, key: int) -> tuple[int, int]:
        """The network that a change of an address concerns: its block, or the free network around
        it."""
        for block in self.covering(key, 0):
            return block.first, block.bits
        bits = 0
        while self._can_grow(key, bits) and not self.covering(*_around(key, bits + 1)):
            bits += 1
        return _around(key, bits)

    def _add(self, first: int, bits: int, entries: bytes) -> None:
        """Add the entries of a network without blocks, and join it with its neighbours if all fit
        into one block."""
        most = MOST * self.family.entry.size
        while self._can_grow(first, bits):
            sibling = first ^ 1 << bits
            near = self.blocks[slice(*self._span(sibling, bits))]
            if len(entries) + sum(len(block.entries) for block in near) > most:
                break
            joined = b"".join(block.entries for block in near)
            entries = entries + joined if first < sibling else joined + entries
            first &= sibling
            bits += 1
        low, high = self._span(first, bits)
        self._put(low, high, list(self._divided(entries, first, bits)))

    def _divided(self, entries: bytes, first: int, bits: int) -> Iterator[Block]:
        """The entries of a network, in blocks."""
        if not entries:
            return
        size = self.family.entry.size
        count = len(entries) // size
        fits = count <= MOST and not self._is_mixed(first, bits)
        if fits:
            yield Block(self.family, first, bits, entries)
            return
        middle = first + (1 << bits - 1)
        split = size * _position(self.family, entries, middle)
        yield from self._divided(entries[:split], first, bits - 1)
        yield from self._divided(entries[split:], middle, bits - 1)

    def _can_grow(self, first: int, bits: int) -> bool:
        """Whether the network with one bit more can be a block."""
        return bits < self.family.bits and not self._is_mixed(first, bits + 1)

    def _is_mixed(self, first: int, bits: int) -> bool:
        """Whether a network contains one that is apart, and others."""
        return any(
            self.family.bits - length < bits and other >> bits == first >> bits
            for other, length in self.family.apart
        )

    def _span(self, first: int, bits: int) -> tuple[int, int]:
        """The indexes of the blocks in a network."""
        low = bisect_left(self._firsts, first)
        return low, bisect_left(self._firsts, first + (1 << bits), low)

    def _put(self, low: int, high: int, blocks: Sequence[Block]) -> None:
        self.blocks[low:high] = blocks
        self._firsts[low:high] = [block.first for block in blocks]


def _position(family: AddressFamily, entries: bytes, address: int) -> int:
    """The index of the first entry that is not before an address."""
    size, key = family.entry.size, family.bits // 8
    return bisect_left(
        range(len(entries) // size),
        address.to_bytes(key, "big"),
        key=lambda at: entries[at * size : at * size + key],
    )


def _around(key: int, bits: int) -> tuple[int, int]:
    """The network with so many bits after its prefix that contains an address."""
    return key >> bits << bits, bits


def _number(raw: bytes) -> int:
    return int.from_bytes(raw, "big")

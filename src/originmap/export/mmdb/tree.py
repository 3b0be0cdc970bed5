"""Nodes of a search tree as bytes, made and moved many at once.

A node is two records of 32 bits, for the next bit 0 and 1. A record below the number of nodes is
the number of the next node; a record equal to it means that nothing is found; a higher one points
into the data. The nodes below a node are numbered in preorder, so the left child of a node has the
next number, and the size of a tree follows from the bits that neighbouring leaves share.

Nodes are made in relative form: records lead to a node so many numbers ahead, and records that
lead elsewhere have the highest bit set. So trees are joined like strings. Python handles one node
in about a microsecond; to place or move a whole tree, all its records become one large integer,
whose additions take some milliseconds for a megabyte.
"""

import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

from originmap.export.free_space import space_for

NODE = 8
"""Bytes in a node."""
GAP = 16
"""Bytes between the tree and the data; records that point into the data include them."""
_RECORD = 4
_SIZES = 8  # of trees; there are few different ones, because they include free space
_ABSOLUTE = 1 << 31  # marks a record in relative form that is final
_NEXT = (1).to_bytes(_RECORD, "big")


class Leaves(NamedTuple):
    """Leaves of a tree in order: their first keys, the number of bits of each that the tree does
    not look at, and their records."""

    keys: Sequence[int]
    ends: Sequence[int]
    records: Sequence[bytes]


class Layout(NamedTuple):
    """What the records of all nodes depend on: the number of nodes, and the places of the values in
    the data, by their numbers."""

    nodes: int
    offsets: Mapping[int, int]

    def record(self, value: int) -> int:
        """The record that points to a value."""
        return self.nodes + GAP + self.offsets[value]


class Relocation(NamedTuple):
    """Records from a number on increase by another number."""

    start: int
    by: int


def relocations(old: Layout, new: Layout, by: int) -> list[Relocation]:
    """The relocations of the records in a tree whose nodes move by this number."""
    found, total = [Relocation(0, by)], by
    outside = new.nodes - old.nodes
    if outside != total:
        found.append(Relocation(old.nodes, outside - total))
        total = outside
    for value, offset in sorted(old.offsets.items(), key=itemgetter(1)):
        if value in new.offsets:
            here = outside + new.offsets[value] - offset
            if here != total:
                found.append(Relocation(old.record(value), here - total))
                total = here
    return [each for each in found if each.by]


def count_nodes(keys: Sequence[int], ends: Sequence[int], height: int) -> int:
    """The number of nodes of a tree that looks at the last `height` bits of keys."""
    if not keys:
        return 0
    total = height - sum(ends)
    for at in range(1, len(keys)):
        total += (keys[at - 1] ^ keys[at]).bit_length() - 1
    return total


def find_node(keys: Sequence[int], ends: Sequence[int], height: int, key: int, bits: int) -> int:
    """The number, in a tree that starts with 0, of the node that looks at the last `bits` bits of
    `key`, which has these bits 0. It must exist."""
    at = bisect_left(keys, key)
    if at == 0:
        return height - bits
    before = count_nodes(keys[:at], ends[:at], height)
    return before + (keys[at - 1] ^ keys[at]).bit_length() - 1 - bits


def absolute(number: int) -> bytes:
    """A record in relative form that leads to a node of another tree or into the data."""
    return (number | _ABSOLUTE).to_bytes(_RECORD, "big")


class NodeWriter:
    """Makes the nodes of trees in a database with `nodes` nodes."""

    def __init__(self, nodes: int) -> None:
        self._free = nodes.to_bytes(_RECORD, "big") * 2
        self._empty = absolute(nodes)
        pairs = (_NEXT + self._empty, self._empty + _NEXT)
        self._chains = [
            b"".join([pairs[byte >> bit & 1] for bit in range(7, -1, -1)]) for byte in range(256)
        ]

    def nodes(self, leaves: Leaves, height: int, base: int) -> bytes:
        """The nodes from number `base` on of a tree that looks at the last `height` bits of keys,
        and free space."""
        nodes = self._tree(leaves, height)
        free = space_for(len(nodes) // NODE) - len(nodes) // NODE
        return _placed(nodes + self._empty * 2 * free, base)

    def free_space(self, nodes: int) -> bytes:
        """Nodes that lead nowhere."""
        return self._free * nodes

    def _tree(self, leaves: Leaves, height: int) -> bytes:
        """The nodes of a tree in relative form."""
        return self._part(leaves, 0, len(leaves.keys), height) if leaves.keys else self._empty * 2

    def _part(self, leaves: Leaves, low: int, high: int, height: int) -> bytes:
        """The nodes above some of the leaves."""
        keys, ends, records = leaves
        first = keys[low]
        if high - low == 1:
            end = ends[low]
            bits = (first & (1 << height) - 1) >> end
            record = records[low]
            last = self._empty + record if bits & 1 else record + self._empty
            return self._chain(bits >> 1, height - end - 1) + last
        split = (first ^ keys[high - 1]).bit_length() - 1
        chain = self._chain((first & (1 << height) - 1) >> split + 1, height - split - 1)
        middle = bisect_left(keys, (first >> split | 1) << split, low, high)
        left_is_leaf = middle - low == 1 and ends[low] == split
        right_is_leaf = high - middle == 1 and ends[middle] == split
        left = b"" if left_is_leaf else self._part(leaves, low, middle, split)
        right = b"" if right_is_leaf else self._part(leaves, middle, high, split)
        return b"".join(
            (
                chain,
                records[low] if left_is_leaf else _NEXT,
                records[middle]
                if right_is_leaf
                else (1 + len(left) // NODE).to_bytes(_RECORD, "big"),
                left,
                right,
            )
        )

    def _chain(self, bits: int, count: int) -> bytes:
        """Nodes for so many bits, without branches, that lead to the node after them."""
        if count <= 8:
            return self._chains[bits << 8 - count][: count * NODE]
        size = (count + 7) // 8
        raw = (bits << size * 8 - count).to_bytes(size, "big")
        return b"".join([self._chains[byte] for byte in raw])[: count * NODE]


def _placed(nodes: bytes, base: int) -> bytes:
    """Nodes in relative form as the nodes from number `base` on."""
    ones = _ones(len(nodes))
    records = int.from_bytes(nodes, "big")
    final = records >> 31 & ones
    numbers = _numbers(len(nodes)) + base * ones
    ahead = ones - final
    records += numbers & (ahead << 32) - ahead
    return (records - (final << 31)).to_bytes(len(nodes), "big")


def moved(nodes: bytes, relocations: Iterable[Relocation]) -> bytes:
    """Nodes with other records, not in relative form. All look at a record as it was."""
    ones = _ones(len(nodes))
    records = result = int.from_bytes(nodes, "big")
    for start, by in relocations:
        concerned = (records + (_ABSOLUTE - start) * ones) >> 31 & ones if start else ones
        result += concerned * by
    return result.to_bytes(len(nodes), "big")


@lru_cache(_SIZES)
def _ones(size: int) -> int:
    """A 1 in each record."""
    return int.from_bytes(_NEXT * (size // _RECORD), "big")


@lru_cache(_SIZES)
def _numbers(size: int) -> int:
    """Each node's number, in both records."""
    count = size // NODE
    lanes = array("I", bytes(size))
    lanes[0::2] = lanes[1::2] = array("I", range(count))
    if sys.byteorder == "little":
        lanes.byteswap()
    return int.from_bytes(lanes.tobytes(), "big")

"""The nodes of an MMDB above its blocks: the tree of IPv6 addresses, whose leaves are blocks, all
IPv4 addresses, and their aliases; and the tree of IPv4 addresses, whose leaves are blocks.

They are made anew for each version of the file: there are about as many as blocks, if few origins
have an address that is an alias of an IPv4 address.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from originmap.export.mmdb.aliases import BITS, V4_BITS, Alias, aliases
from originmap.export.mmdb.space import Block, Space
from originmap.export.mmdb.tree import (
    NODE,
    Layout,
    Leaves,
    NodeWriter,
    absolute,
    count_nodes,
    find_node,
    placed,
    space_for,
)

_BLOCKS_AT_HAND = 16


class _Leaf(NamedTuple):
    """A network of IPv6 addresses, by its first address and the number of bits after its prefix,
    with the block, alias or number of a value that it leads to. None is the IPv4 addresses."""

    first: int
    bits: int
    target: Block | Alias | int | None


class Top:
    """The nodes above the blocks."""

    def __init__(self, v4: Space, v6: Space) -> None:
        self._v4 = v4
        self._firsts = [block.first for block in v4.blocks]
        self._bits = [block.bits for block in v4.blocks]
        self._addresses = lru_cache(_BLOCKS_AT_HAND)(Block.addresses)
        self.blocks = [*v4.blocks]
        """The blocks that have nodes, in the order of the file."""
        self._leaves = sorted(self._find_leaves(v6), key=lambda leaf: leaf.first)
        sizes = (
            max(count_nodes([leaf.first for leaf in self._leaves], self._ends(), BITS), 1),
            count_nodes(self._firsts, self._bits, V4_BITS),
        )
        self._space, v4_space = map(space_for, sizes)
        self.space = self._space + v4_space
        """Number of nodes, with free space."""

    def nodes(self, writer: NodeWriter, layout: Layout, starts: Mapping[Block, int]) -> bytes:
        """The nodes and free space, if blocks start with these nodes."""
        out = bytearray(self.space * NODE)
        records = [absolute(self._record(leaf, layout, starts)) for leaf in self._leaves]
        keys = [leaf.first for leaf in self._leaves]
        v6 = writer.tree(Leaves(keys, self._ends(), records), BITS)
        out[: len(v6)] = placed(v6, 0)
        if len(self._firsts) > 1:
            records = [absolute(starts[block]) for block in self._v4.blocks]
            v4 = writer.tree(Leaves(self._firsts, self._bits, records), V4_BITS)
            start = self._space * NODE
            out[start : start + len(v4)] = placed(v4, self._space)
        return bytes(out)

    def _find_leaves(self, v6: Space) -> Iterator[_Leaf]:
        own = list[int]()
        for block in v6.blocks:
            if v6.family.is_apart(block.first, block.bits):
                for key, value in zip(*block.addresses(), strict=True):
                    own.append(key)
                    yield _Leaf(key, 0, value)
            else:
                self.blocks.append(block)
                yield _Leaf(block.first, block.bits, block)
        if self._v4.blocks:
            yield _Leaf(0, V4_BITS, None)
        for alias in aliases(self._has_addresses, own):
            yield _Leaf(alias.first, alias.bits, alias)

    def _ends(self) -> list[int]:
        return [leaf.bits for leaf in self._leaves]

    def _has_addresses(self, first: int, bits: int) -> bool:
        """Whether there are IPv4 addresses in a network."""
        blocks = self._v4.covering(first, bits)
        if len(blocks) != 1 or blocks[0].bits <= bits:
            return bool(blocks)
        keys = self._addresses(blocks[0])[0]
        at = bisect_left(keys, first)
        return at < len(keys) and keys[at] >> bits == first >> bits

    def _record(self, leaf: _Leaf, layout: Layout, starts: Mapping[Block, int]) -> int:
        match leaf.target:
            case Block() as block:
                return starts[block]
            case int(value):
                return layout.record(value)
            case Alias(_, _, first, bits):
                return self._v4_record(first, bits, layout, starts)
        return self._v4_record(0, V4_BITS, layout, starts)

    def _v4_record(self, first: int, bits: int, layout: Layout, starts: Mapping[Block, int]) -> int:
        """The record for a network of IPv4 addresses, which has some."""
        block = self._v4.covering(first, bits)[0]
        if block.bits < bits:
            return self._space + find_node(self._firsts, self._bits, V4_BITS, first, bits)
        keys, values = self._addresses(block)
        if bits == 0:
            return layout.record(values[bisect_left(keys, first)])
        return starts[block] + find_node(keys, bytes(len(keys)), block.bits, first, bits)

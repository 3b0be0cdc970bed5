"""The nodes of an MMDB above its blocks, and what the leaves of all nodes lead to.

Above the blocks are the tree of IPv6 addresses, whose leaves are blocks, all IPv4 addresses, and
their aliases, and the tree of IPv4 addresses, whose leaves are blocks.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from operator import itemgetter
from typing import NamedTuple

from originmap.export.free_space import space_for
from originmap.export.mmdb.aliases import BITS, NETWORKS, V4_BITS, Alias, Own, aliases, around
from originmap.export.mmdb.space import Block, Space
from originmap.export.mmdb.tree import (
    Layout,
    Leaves,
    NodeWriter,
    absolute,
    count_nodes,
    find_node,
)

_BLOCKS_AT_HAND, _NETWORKS_AT_HAND = 16, 1024

Target = int | Alias | Block | None
"""What a leaf leads to: the number of a value, an alias, a block, or all IPv4 addresses."""


class Targets(NamedTuple):
    """Leaves in order: the first addresses, the numbers of bits after the prefixes, and what they
    lead to."""

    firsts: Sequence[int]
    bits: Sequence[int]
    targets: Sequence[Target]

    def count_nodes(self, bits: int) -> int:
        """The number of nodes of the tree, which looks at the last `bits` bits of addresses."""
        return count_nodes(self.firsts, self.bits, bits)


class Top:
    """The leaves of all trees, without their records, which depend on the sizes of the trees."""

    def __init__(self, v4: Space, v6: Space) -> None:
        self.v4 = v4
        self._v6_family = v6.family
        self.addresses = lru_cache(_BLOCKS_AT_HAND)(Block.addresses)
        self._exists = lru_cache(_NETWORKS_AT_HAND)(partial(_has_addresses, v4))
        self.v4_leaves = _sorted((block.first, block.bits, block) for block in v4.blocks)
        self.v6_leaves = _sorted(self._find_leaves(v6))
        self.v4_start = space_for(max(self.v6_leaves.count_nodes(BITS), 1))
        """The number of the first node of the tree of IPv4 addresses."""
        self.space = self.v4_start + space_for(self.v4_leaves.count_nodes(V4_BITS))
        """The number of nodes above the blocks, with free space."""

    def leaves(self, block: Block) -> Targets:
        """The leaves in a block: addresses and aliases."""
        keys, values = block.addresses()
        leaves = Targets(keys, bytes(len(keys)), values)
        if not self.has_aliases(block):
            return leaves
        found = ((alias.first, alias.bits, alias) for alias in self._aliases(block))
        return _sorted([*zip(*leaves, strict=True), *found])

    def has_aliases(self, block: Block) -> bool:
        """Whether a block has aliases of IPv4 addresses."""
        return any(True for _ in self._aliases(block))

    def aliased(self, block: Block) -> list[Block]:
        """The blocks of the IPv4 addresses in the addresses of a block, which has aliases. Which
        aliases it has depends on them and on the places of all blocks of IPv4 addresses."""
        length = around(block.first, block.bits) or 0
        shift = BITS - V4_BITS - length
        found = dict[Block, None]()
        for key in block.addresses()[0]:
            found |= dict.fromkeys(self.v4.covering(key >> shift & (1 << V4_BITS) - 1, 0))
        return list(found)

    def _aliases(self, block: Block) -> Iterator[Alias]:
        length = around(block.first, block.bits)
        if length is not None and block.family is self._v6_family:
            keys = block.addresses()[0]
            own = Own(keys, bytes(len(keys)))
            yield from aliases(self._exists, own, block.first, block.bits, length)

    def _find_leaves(self, v6: Space) -> Iterator[tuple[int, int, Target]]:
        """The leaves above the blocks of IPv6 addresses."""
        for block in v6.blocks:
            yield block.first, block.bits, block
        if self.v4.blocks:
            yield 0, V4_BITS, None
        for first, length in NETWORKS:
            inside = v6.covering(first, BITS - length)
            own = Own([block.first for block in inside], [block.bits for block in inside])
            for alias in aliases(self._exists, own, first, BITS - length, length):
                yield alias.first, alias.bits, alias


def _has_addresses(v4: Space, first: int, bits: int) -> bool:
    """Whether there are IPv4 addresses in a network."""
    blocks = v4.covering(first, bits)
    if len(blocks) == 1 and blocks[0].bits > bits:
        return blocks[0].has_addresses(first, bits)
    return bool(blocks)


class Linked:
    """Makes the nodes of all trees, which blocks start with the nodes `starts`."""

    def __init__(self, top: Top, layout: Layout, starts: Mapping[Block, int]) -> None:
        self.layout, self.starts = layout, starts
        self._top = top
        self._writer = NodeWriter(layout.nodes)
        self._values = {value: absolute(layout.record(value)) for value in layout.offsets}

    def top(self) -> bytes:
        """The nodes above the blocks, with free space."""
        nodes = self._nodes(self._top.v6_leaves, BITS, 0)
        if len(self._top.v4.blocks) > 1:
            nodes += self._nodes(self._top.v4_leaves, V4_BITS, self._top.v4_start)
        return nodes

    def block(self, block: Block) -> bytes:
        """The nodes of a block, with free space."""
        return self._nodes(self._top.leaves(block), block.bits, self.starts[block])

    def free_space(self, nodes: int) -> bytes:
        """Free space for so many nodes."""
        return self._writer.free_space(nodes)

    def _nodes(self, leaves: Targets, bits: int, base: int) -> bytes:
        firsts, ends, targets = leaves
        values = self._values
        records = [
            values[target] if isinstance(target, int) else absolute(self._node(target))
            for target in targets
        ]
        return self._writer.nodes(Leaves(firsts, ends, records), bits, base)

    def _node(self, target: Alias | Block | None) -> int:
        match target:
            case Block() as block:
                return self.starts[block]
            case Alias(_, _, first, bits):
                return self._v4_record(first, bits)
        return self._v4_record(0, V4_BITS)

    def _v4_record(self, first: int, bits: int) -> int:
        """The record for a network of IPv4 addresses, which has some."""
        top = self._top
        block = top.v4.covering(first, bits)[0]
        if block.bits < bits:
            firsts, ends, _ = top.v4_leaves
            return top.v4_start + find_node(firsts, ends, V4_BITS, first, bits)
        keys, values = top.addresses(block)
        if bits == 0:
            return self.layout.record(values[bisect_left(keys, first)])
        return self.starts[block] + find_node(keys, bytes(len(keys)), block.bits, first, bits)


def _sorted(leaves: Iterable[tuple[int, int, Target]]) -> Targets:
    ordered = sorted(leaves, key=itemgetter(0))
    return Targets(
        [first for first, _, _ in ordered],
        [bits for _, bits, _ in ordered],
        [target for _, _, target in ordered],
    )

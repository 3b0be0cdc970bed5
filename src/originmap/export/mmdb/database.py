"""A whole MMDB, written completely or as changes to its last version.

The nodes are in this order:

    1. the nodes above the blocks: IPv6, then IPv4
    2. the nodes of each block: IPv4, then IPv6

There is free space after both trees of part 1, after each block, after groups of blocks, and at the
end, so that each of them can grow in place. For a change, the nodes of its block are made again,
and part 1. If nodes outgrow their space, those after them are moved, by addition to their records.
Blocks, groups and sizes follow from the addresses and values alone, so the bytes do too.
"""

from collections.abc import Iterable, Iterator, Sequence
from struct import Struct
from typing import BinaryIO

from originmap.export.format import Chunk, Span
from originmap.export.free_space import space_for
from originmap.export.mmdb.aliases import BITS, NETWORKS, V4_BITS
from originmap.export.mmdb.data import MARK, metadata
from originmap.export.mmdb.space import AddressFamily, Block, Space
from originmap.export.mmdb.top import Linked, Top
from originmap.export.mmdb.tree import (
    GAP,
    NODE,
    Layout,
    Relocation,
    moved,
    relocations,
)

_GROUP = 16
"""Blocks in a group, if they are of the same size; the last bits of their prefixes are 0 to 15."""


class Database:
    """Addresses with the numbers of their values, and the file that they make."""

    def __init__(self) -> None:
        self.v4 = Space(AddressFamily(V4_BITS, Struct(">4sI")))
        self.v6 = Space(AddressFamily(BITS, Struct(">16sI"), ((0, BITS - V4_BITS), *NETWORKS)))
        self._layout = Layout(0, {})
        self._end = 0  # of the blocks, as the number of a node

    def chunks(
        self, values: Sequence[bytes], newest: int, last: BinaryIO | None = None
    ) -> Iterator[Chunk]:
        """The file. `values` are the encoded values by number, `newest` is the time of the newest
        mapping in seconds since 1970, `last` the last version, which the last call made."""
        top = Top(self.v4, self.v6)
        for block in self.v4.blocks:
            if not block.size:
                _measure(block, top)
                yield b""
        starts, end = _starts(self.v4.blocks, top.space)
        v4_places = (top.v4_leaves[:2], top.v4_start, list(starts.values()))
        for block in self.v6.blocks:
            aliases = (v4_places, top.aliased(block)) if top.has_aliases(block) else None
            if aliases != block.aliases:
                block.aliases, block.size, block.base = aliases, 0, -1
            if not block.size:
                _measure(block, top)
                yield b""
        v6_starts, end = _starts(self.v6.blocks, end)
        starts |= v6_starts
        used = 0
        for block in starts:
            used |= block.used
        data, offsets = _data(values, used)
        layout = Layout(space_for(end), offsets)
        linked = Linked(top, layout, starts)
        yield b""
        yield linked.top()
        yield from _joined(self._blocks(linked, top.space, last))
        yield bytes(GAP)
        yield data + MARK + metadata(layout.nodes, newest)
        self._layout = layout

    def _blocks(self, linked: Linked, end: int, last: BinaryIO | None) -> Iterator[Chunk]:
        """The nodes of all blocks, and free space. The nodes before them end with number `end`."""
        known = dict[int, list[Relocation]]()
        for block, start in linked.starts.items():
            if start > end:
                yield linked.free_space(start - end)
            by, space = start - block.base, space_for(block.size)
            if last is None or block.base < 0 or (by and block.aliases):
                yield linked.block(block)
            else:
                if by not in known:
                    known[by] = relocations(self._layout, linked.layout, by)
                if known[by]:
                    last.seek(block.base * NODE)
                    yield moved(last.read(space * NODE), known[by])
                else:
                    yield Span(start * NODE, (start + space) * NODE)
            block.base, end = start, start + space
        nodes = linked.layout.nodes
        if last is None or nodes != self._layout.nodes or end < self._end:
            yield linked.free_space(nodes - end)
        else:
            yield Span(end * NODE, nodes * NODE)
        self._end = end


def _starts(blocks: Iterable[Block], end: int) -> tuple[dict[Block, int], int]:
    """The number of the first node of each block, and of the first node after them, if there are
    `end` nodes before them."""
    starts = dict[Block, int]()
    group = end
    for block in blocks:
        if (block.first >> block.bits) % _GROUP == 0:
            end = group = group + space_for(end - group)
        starts[block] = end
        end += space_for(block.size)
    return starts, group + space_for(end - group)


def _measure(block: Block, top: Top) -> None:
    """Find the size and the values of a block."""
    _, values = block.addresses()
    block.size = top.leaves(block).count_nodes(block.bits)
    block.used = 0
    for value in set(values):
        block.used |= 1 << value


def _data(values: Sequence[bytes], used: int) -> tuple[bytes, dict[int, int]]:
    """The values in use, one after another, and their offsets by number."""
    data, offsets = bytearray(), dict[int, int]()
    for number in sorted((n for n in range(len(values)) if used >> n & 1), key=values.__getitem__):
        offsets[number] = len(data)
        data += values[number]
    return bytes(data), offsets


def _joined(chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    """Chunks with adjacent spans joined."""
    held: Span | None = None
    for chunk in chunks:
        if held is not None and isinstance(chunk, Span) and chunk.start == held.end:
            held = Span(held.start, chunk.end)
            continue
        if held is not None:
            yield held
        held = chunk if isinstance(chunk, Span) else None
        if not isinstance(chunk, Span):
            yield chunk
    if held is not None:
        yield held

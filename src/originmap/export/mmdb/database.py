"""A whole MMDB, written completely or as changes to its last version.

The nodes are in this order. Each part is followed by free space, so that it can grow in place:

    1. the nodes above the blocks: IPv6, then IPv4
    2. the nodes of each block: IPv4, then IPv6
    3. more free space, so that the number of nodes seldom changes

For a change, the nodes of its block are made again, and part 1. If a part outgrows its space, the
records of the nodes after it are moved by addition. Blocks, sizes and order follow from the
addresses and values alone, so the bytes do too.
"""

from collections.abc import Iterable, Iterator, Sequence
from struct import Struct
from typing import BinaryIO

from originmap.export.format import Chunk, Span
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
    space_for,
)


class Database:
    """Addresses with the numbers of their values, and the file that they make."""

    def __init__(self) -> None:
        self.v4 = Space(AddressFamily(V4_BITS, Struct(">4sI")))
        self.v6 = Space(AddressFamily(BITS, Struct(">16sI"), ((0, BITS - V4_BITS), *NETWORKS)))
        self._layout = Layout(0, {})

    def chunks(
        self, values: Sequence[bytes], newest: int, last: BinaryIO | None = None
    ) -> Iterator[Chunk]:
        """The file. `values` are the encoded values by number, `newest` is the time of the newest
        mapping in seconds since 1970, `last` the last version, which the last call made."""
        top = Top(self.v4, self.v6)
        starts, end, used = dict[Block, int](), top.space, 0
        for block in (*self.v4.blocks, *self.v6.blocks):
            if _is_new(block, top):
                _measure(block, top)
                yield b""
            starts[block] = end
            end += space_for(block.size)
            used |= block.used
        data, offsets = _data(values, used)
        layout = Layout(space_for(end), offsets)
        linked = Linked(top, layout, starts)
        yield b""
        yield linked.top()
        yield from _joined(self._blocks(linked, last))
        yield bytes((layout.nodes - end) * NODE + GAP)
        yield data + MARK + metadata(layout.nodes, newest)
        self._layout = layout

    def _blocks(self, linked: Linked, last: BinaryIO | None) -> Iterator[Chunk]:
        """The nodes of all blocks, with the space after each."""
        known = dict[int, list[Relocation]]()
        for block, start in linked.starts.items():
            by, space = start - block.base, space_for(block.size) * NODE
            if last is None or block.base < 0:
                yield linked.block(block).ljust(space, b"\0")
            else:
                if by not in known:
                    known[by] = relocations(self._layout, linked.layout, by)
                if known[by]:
                    last.seek(block.base * NODE)
                    nodes = last.read(block.size * NODE)
                    yield moved(nodes, known[by]).ljust(space, b"\0")
                else:
                    yield Span(start * NODE, start * NODE + space)
            block.base = start


def _is_new(block: Block, top: Top) -> bool:
    """Whether the nodes of a block must be made: it is new, or it has aliases of IPv4 addresses,
    whose nodes may move."""
    aliased = top.has_aliases(block)
    if aliased or block.aliased:
        block.aliased, block.size, block.base = aliased, 0, -1
    return not block.size


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

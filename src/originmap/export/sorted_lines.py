"""A part of a file with a line for each address, in order, of which some lines can be replaced.

The lines are in blocks. Only the first address and the size of each block are in memory, and an
update reads and writes only the blocks of its addresses.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import BinaryIO, NamedTuple

from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.address import Address
from originmap.export.format import Chunk, Span

_LINES = 500
"""Lines of a new block. A block that has grown to twice as many is divided."""


class _Block(NamedTuple):
    first: bytes
    size: int  # in bytes


class SortedLines:
    """The lines at the start of a file. A line is `NAME=ADDRESS`, a blank, and any text."""

    def __init__(self) -> None:
        self._blocks: list[_Block] = []

    def written(self, lines: Iterable[tuple[bytes, bytes]]) -> Iterator[bytes]:
        """Write all lines; each with its address, in order."""
        for block, chunk in _divided(lines, _LINES):
            self._blocks.append(block)
            yield chunk

    def updated(self, lines: Mapping[Address, bytes | None], last: BinaryIO) -> Iterator[Chunk]:
        """Write all lines of the last version with these lines instead; None removes a line."""
        before, self._blocks = self._blocks, []
        firsts = [block.first for block in before]
        number = offset = 0
        for index, group in groupby(
            sorted(lines), lambda address: max(bisect_right(firsts, address) - 1, 0)
        ):
            kept = before[number:index]
            start, offset = offset, offset + sum(block.size for block in kept)
            self._blocks += kept
            yield Span(start, offset)
            number = index + 1
            size = before[index].size if before else 0
            last.seek(offset)
            held: dict[bytes, bytes | None] = {
                _address(line): line for line in last.read(size).splitlines(keepends=True)
            }
            offset += size
            held |= {address: lines[address] for address in group}
            left = [(address, line) for address in sorted(held) if (line := held[address])]
            for block, chunk in _divided(left, _LINES if len(left) > 2 * _LINES else 2 * _LINES):
                self._blocks.append(block)
                yield chunk
        self._blocks += before[number:]
        yield Span(offset, offset + sum(block.size for block in before[number:]))


def _divided(lines: Iterable[tuple[bytes, bytes]], most: int) -> Iterator[tuple[_Block, bytes]]:
    """Blocks of up to `most` lines, with their bytes."""
    first, held = b"", list[bytes]()
    for address, line in lines:
        if not held:
            first = address
        held.append(line)
        if len(held) == most:
            chunk = b"".join(held)
            yield _Block(first, len(chunk)), chunk
            held = []
    if held:
        chunk = b"".join(held)
        yield _Block(first, len(chunk)), chunk


def _address(line: bytes) -> Address:
    return addresses.parse(line[line.index(b"=") + 1 : line.index(b" ")].decode())

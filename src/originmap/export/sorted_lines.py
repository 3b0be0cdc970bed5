"""A part of a file with a line for each address, in order, of which some lines can be replaced.

The lines are in blocks. Only the first address and the size of each block are in memory, and an
update reads and writes only the blocks of its addresses. The checksum of an address decides whether
it starts a block, so the blocks follow from the addresses alone, whatever changes led to them.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import BinaryIO, NamedTuple
from zlib import crc32

from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.address import Address
from originmap.export.format import Chunk, Span
from originmap.export.free_space import with_blank_lines

LINES = 512
"""Lines of a block, on average."""


class _Block(NamedTuple):
    first: bytes
    size: int  # in bytes


class _Concerned(NamedTuple):
    """The blocks from number `start` to before `end`, and the lines that change in them."""

    start: int
    end: int
    lines: dict[Address, bytes | None]


class SortedLines:
    """The lines at the start of a file. A line is `NAME=ADDRESS`, a blank, and any text."""

    def __init__(self) -> None:
        self._blocks: list[_Block] = []

    def written(self, lines: Iterable[tuple[bytes, bytes]]) -> Iterator[bytes]:
        """Write all lines; each with its address, in order."""
        for block, chunk in _divided(lines):
            self._blocks.append(block)
            yield chunk

    def updated(self, lines: Mapping[Address, bytes | None], last: BinaryIO) -> Iterator[Chunk]:
        """Write all lines of the last version with these lines instead; None removes a line."""
        before, self._blocks = self._blocks, []
        number = offset = 0
        for start, end, changed in _concerned(before, lines):
            kept = before[number:start]
            span = Span(offset, offset + sum(block.size for block in kept))
            yield span
            size = sum(block.size for block in before[start:end])
            number, offset = end, span.end + size
            last.seek(span.end)
            held = _by_address(last.read(size)) | changed
            left = [(address, line) for address in sorted(held) if (line := held[address])]
            self._blocks += kept
            for block, chunk in _divided(left):
                self._blocks.append(block)
                yield chunk
        self._blocks += before[number:]
        yield Span(offset, offset + sum(block.size for block in before[number:]))


def _concerned(blocks: Sequence[_Block], lines: Mapping[Address, bytes | None]) -> list[_Concerned]:
    """The blocks that these lines concern. A block whose first line goes is joined to the one
    before it."""
    firsts = [block.first for block in blocks]
    found = list[_Concerned]()
    for number, group in groupby(
        sorted(lines), lambda address: max(bisect_right(firsts, address) - 1, 0)
    ):
        changed = {address: lines[address] for address in group}
        joined = number > 0 and changed.get(firsts[number], b"") is None
        start = number - joined
        if found and start < found[-1].end:
            last = found.pop()
            start, changed = last.start, last.lines | changed
        found.append(_Concerned(start, number + 1, changed))
    return found


def _divided(lines: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[_Block, bytes]]:
    """Blocks with their bytes."""
    first, held = b"", list[bytes]()
    for address, line in lines:
        if held and crc32(address) % LINES == 0:
            yield _block(first, held)
            held = []
        if not held:
            first = address
        held.append(line)
    if held:
        yield _block(first, held)


def _block(first: bytes, lines: Iterable[bytes]) -> tuple[_Block, bytes]:
    chunk = b"".join(with_blank_lines(lines))
    return _Block(first, len(chunk)), chunk


def _by_address(text: bytes) -> dict[Address, bytes | None]:
    """The lines of a text, without blank ones."""
    return {_address(line): line for line in text.splitlines(keepends=True) if line != b"\n"}


def _address(line: bytes) -> Address:
    return addresses.parse(line[line.index(b"=") + 1 : line.index(b" ")].decode())

"""Free space after the parts of a file, so that a part can change its size without moving those
after it. An agent writes moved parts again."""

from collections.abc import Iterable, Iterator

from originmap.export.format import File, Writer
from originmap.export.node import Node, ZonePart

SMALLEST = 4096
"""Bytes of a text that has free space. People read smaller ones."""


def space_for(size: int) -> int:
    """The space for a part of this size, in any unit: up to an eighth more."""
    step = 1 << max(size.bit_length() - 4, 0)
    return -(-size // step) * step


def with_blank_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """A text that ends with a line, and blank lines as free space."""
    size = 0
    for chunk in chunks:
        size += len(chunk)
        yield chunk
    if size >= SMALLEST:
        yield b"\n" * (space_for(size) - size)


def spaced(file: File, node: Node) -> Writer:
    """The writer of a file, with free space after each zone if the file can have blank lines."""
    writer = file.writer(node)
    return _Spaced(writer) if file.blank_lines else writer


class _Spaced(Writer):
    """Writes what another writer writes, with free space after each zone."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def start(self) -> Iterator[bytes]:
        return self._writer.start()

    def zone(self, part: ZonePart) -> Iterator[bytes]:
        return with_blank_lines(self._writer.zone(part))

    def gone(self, zone_id: str) -> None:
        self._writer.gone(zone_id)

    def end(self) -> Iterator[bytes]:
        return self._writer.end()

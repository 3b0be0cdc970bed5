"""What a format is: files, each with a writer."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from originmap.domain.errors import InvalidExport
from originmap.export.node import Node, ZonePart


class Writer(Protocol):
    """Writes one file for one node, in chunks: the start, each zone in order, the end.

    A chunk takes some milliseconds at most. It may be empty, when there is nothing to say yet.
    """

    def start(self) -> Iterator[bytes]:
        """What comes before the zones."""

    def zone(self, part: ZonePart) -> Iterator[bytes]:
        """A zone."""

    def end(self) -> Iterator[bytes]:
        """What comes after them."""


@dataclass(frozen=True, slots=True)
class File:
    """A file of a format."""

    name: str
    media_type: str
    writer: Callable[[Node], Writer]
    of_mappings: bool = True  # whether any zone changes a byte of it


@dataclass(frozen=True, slots=True)
class Format:
    """A format: one file, or several that belong together."""

    name: str
    help: str
    files: tuple[File, ...]
    upstreams: bool = True  # whether it says where the upper tiers listen

    def file(self, name: str | None) -> File:
        """The file of this name, without one the only file. Raises InvalidExport."""
        if name is None and len(self.files) == 1:
            return self.files[0]
        for file in self.files:
            if file.name == name:
                return file
        names = ", ".join(file.name for file in self.files)
        if name is None:
            raise InvalidExport(f"{self.name} has several files; say which: {names}")
        raise InvalidExport(f"{self.name} has no file {name}; there are: {names}")


def written(writer: Writer, parts: Iterable[ZonePart]) -> Iterator[bytes]:
    """The whole file, in chunks."""
    yield from writer.start()
    for part in parts:
        yield from writer.zone(part)
    yield from writer.end()

"""What a format is: files, each with a writer."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, Protocol

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


class File(NamedTuple):
    """A file of a format."""

    name: str
    media_type: str
    writer: Callable[[Node], Writer]
    of_mappings: bool = True  # whether any zone changes a byte of it


class Family(NamedTuple):
    """Files of a kind, as many as a node has use for. No mapping changes a byte of them."""

    name: str  # what they are called: FOLDER/NAME.json
    help: str  # which there are
    files: Callable[[Node], tuple[File, ...]]  # raises InvalidExport

    @property
    def pattern(self) -> str:
        """What matches them, and no file of somebody else's."""
        return self.name.replace("NAME", "originmap_*")


class Format(NamedTuple):
    """A format: one file, or several that belong together."""

    name: str
    help: str
    files: tuple[File, ...]
    upstreams: bool = True  # whether it says where the upper tiers listen
    of_addresses: bool = False  # whether the cache takes no more than one address of a name
    family: Family | None = None  # files besides

    @property
    def names(self) -> tuple[str, ...]:
        """What its files are called, those of the family together."""
        names = tuple(file.name for file in self.files)
        return (*names, self.family.name) if self.family else names

    @property
    def several(self) -> bool:
        """Whether it has more files than one."""
        return len(self.names) > 1

    def all(self, node: Node) -> tuple[File, ...]:
        """Every file for a node. Raises InvalidExport."""
        return (*self.files, *self.family.files(node)) if self.family else self.files

    def file(self, name: str | None, node: Node) -> File:
        """The file of this name, without one the only file. Raises InvalidExport."""
        if name is None and self.several:
            names = ", ".join(self.names)
            raise InvalidExport(f"{self.name} has several files; say which: {names}")
        files = self.all(node)
        for file in files:
            if name in (file.name, None):
                return file
        names = ", ".join(file.name for file in files)
        which = f"; {self.family.help}" if self.family else ""
        raise InvalidExport(f"{self.name} has no file {name}; there are: {names}{which}")


def written(writer: Writer, parts: Iterable[ZonePart]) -> Iterator[bytes]:
    """The whole file, in chunks."""
    yield from writer.start()
    for part in parts:
        yield from writer.zone(part)
    yield from writer.end()

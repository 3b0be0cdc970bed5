"""A format: one or several files, each with a writer."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, Protocol

from originmap.domain.errors import InvalidExport
from originmap.export.node import Node, ZonePart


class Writer(Protocol):
    """Writes one file for one node, in chunks: the start, each zone in order, the end.

    A chunk takes at most some milliseconds of work. It can be empty.
    """

    def start(self) -> Iterator[bytes]:
        """Write the part before the zones."""

    def zone(self, part: ZonePart) -> Iterator[bytes]:
        """Write a zone."""

    def end(self) -> Iterator[bytes]:
        """Write the part after the zones."""


class File(NamedTuple):
    """A file of a format."""

    name: str
    media_type: str
    writer: Callable[[Node], Writer]
    of_mappings: bool = True  # whether its content depends on zones and mappings


class Family(NamedTuple):
    """Files of one kind, in a number that depends on the node but not on mappings."""

    name: str  # FOLDER/NAME.json
    help: str  # the condition for a file, for error messages
    files: Callable[[Node], tuple[File, ...]]  # raises InvalidExport

    @property
    def pattern(self) -> str:
        """A glob that matches these files, and no other files of the folder."""
        return self.name.replace("NAME", "originmap_*")


class Format(NamedTuple):
    """A format: one file, or several that belong together."""

    name: str
    help: str
    files: tuple[File, ...]
    upstreams: bool = True  # whether it contains upstream addresses
    of_addresses: bool = False  # whether the cache uses only one address of a host name
    family: Family | None = None  # additional files

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the files, with one name for the family."""
        names = tuple(file.name for file in self.files)
        return (*names, self.family.name) if self.family else names

    @property
    def several(self) -> bool:
        """Whether the format has more than one file."""
        return len(self.names) > 1

    def all(self, node: Node) -> tuple[File, ...]:
        """All files for a node. Raises InvalidExport."""
        return (*self.files, *self.family.files(node)) if self.family else self.files

    def file(self, name: str | None, node: Node) -> File:
        """The file of this name; None means the only file. Raises InvalidExport."""
        if name is None and self.several:
            names = ", ".join(self.names)
            raise InvalidExport(f"format {self.name} has several files: choose one of {names}")
        files = self.all(node)
        for file in files:
            if name in (file.name, None):
                return file
        names = ", ".join(file.name for file in files)
        which = f"; {self.family.help}" if self.family else ""
        raise InvalidExport(f"format {self.name} has no file {name}: choose one of {names}{which}")


def written(writer: Writer, parts: Iterable[ZonePart]) -> Iterator[bytes]:
    """Write the whole file, in chunks."""
    yield from writer.start()
    for part in parts:
        yield from writer.zone(part)
    yield from writer.end()

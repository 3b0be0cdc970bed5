"""A format: one or several files, each with a writer."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import BinaryIO, NamedTuple, Protocol

from originmap.domain.errors import InvalidExport
from originmap.domain.mapping.address import Address
from originmap.export.node import Node, Row, ZonePart


class Span(NamedTuple):
    """The bytes from `start` to before `end` of a file's last version, which stay as they are."""

    start: int
    end: int


Chunk = bytes | Span


class Writer(Protocol):
    """Writes one file for one node, in chunks: the start, each zone in order, the end. A method
    that a writer inherits writes nothing.

    A chunk takes at most some milliseconds of work. It can be empty. What `start` writes does not
    depend on the zones, and what `zone` writes on that zone only. So after a change of some zones a
    writer can write the next version of its file: these zones again, and the end. The start and the
    other zones stay as they were.
    """

    def start(self) -> Iterator[bytes]:
        """Write the part before the zones."""
        yield b""

    def zone(self, part: ZonePart) -> Iterator[bytes]:
        """Write a zone."""
        yield b""

    def gone(self, zone_id: str) -> None:
        """Forget a zone that no longer exists, if it ever did."""
        return

    def end(self) -> Iterator[bytes]:
        """Write the part after the zones."""
        yield b""


class AddressWriter(Writer):
    """Writes a file that is sorted by address, not by zone. If zones map one address to different
    regions, the row with the highest revision counts, and of equal ones that of the last zone.

    After `end` it keeps what it needs to write the next versions: `note` for each zone that
    changed, `gone` for each that is gone, then `update`. A writer that raises is not used again.
    """

    def note(self, part: ZonePart) -> None:
        """Note what the file says of a zone itself, not of its addresses."""

    def update(self, rows: Mapping[Address, Row | None], last: BinaryIO) -> Iterator[Chunk]:
        """Write the whole next version of the file, as a new writer would. `rows` has each address
        that may have changed in any zone, with the row that counts now, None if no zone has the
        address. `last` is the last version, open for reading."""
        raise NotImplementedError


class File(NamedTuple):
    """A file of a format."""

    name: str
    media_type: str
    writer: Callable[[Node], Writer]
    of_mappings: bool = True  # whether its content depends on zones and mappings
    blank_lines: bool = False  # whether blank lines can follow a zone


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

"""A file that is being written, and the version of it that results.

A version remembers the size and the digest of each zone's part of the file, not its text, so that
`update` can write the next version.
"""

import contextlib
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple

from originmap.edge import disk
from originmap.edge.errors import CannotWrite
from originmap.export.format import File, Span, Writer
from originmap.export.free_space import spaced
from originmap.export.node import Node, ZonePart
from originmap.file_mode import set_mode

_MODE = 0o644  # a cache runs as another user
_COPIED = 1 << 20
"""Bytes to copy at once."""


class Segment(NamedTuple):
    """A part of a file."""

    size: int
    digest: bytes


class Version(NamedTuple):
    """A version of a file, its writer, and its parts: the start, the zones by ID and in their
    order, the end."""

    writer: Writer
    start: Segment
    zones: Mapping[str, Segment]
    end: Segment


class Output:
    """A file that is being written. Its methods raise CannotWrite."""

    def __init__(
        self, path: Path, stack: contextlib.ExitStack, last: BinaryIO | None = None
    ) -> None:
        """`last` is a copy of the last version, at this path and open for writing."""
        self.path = path
        self._has_last = last is not None
        with self._writing():
            if last is None:
                disk.make_folder(path.parent)
                path.unlink(missing_ok=True)  # never follow a symbolic link placed here
                last = path.open("xb")
            self._file: BinaryIO = stack.enter_context(last)

    def add(self, chunks: Iterable[bytes]) -> Segment:
        """Append."""
        digest, size = hashlib.blake2b(digest_size=16), 0
        for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
            with self._writing():
                self._file.write(chunk)
        return Segment(size, digest.digest())

    def copy(self, span: Span, last: BinaryIO) -> None:
        """Append these bytes of the last version."""
        start, end = span
        with self._writing():
            if self._has_last and start == self._file.tell():
                self._file.seek(end)
                return
            while start < end:
                chunk = os.pread(last.fileno(), min(end - start, _COPIED), start)
                if not chunk:
                    raise OSError("its last version was shortened")
                self._file.write(chunk)
                start += len(chunk)

    def close(self) -> None:
        """Complete the file."""
        with self._writing():
            self._file.truncate()  # flushes too
            set_mode(self._file.fileno(), _MODE)
            self._file.close()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise CannotWrite(str(self.path), error) from error


class CompleteFile:
    """Writes a file from all zones."""

    def __init__(self, output: Output, file: File, node: Node) -> None:
        self._output, self._writer = output, spaced(file, node)
        self._content = hashlib.sha256()
        self._start = self._end = Segment(0, b"")
        self._zones: dict[str, Segment] = {}

    def start(self) -> None:
        """Write the start. Raises InvalidExport, CannotWrite."""
        self._start = self._output.add(self._hashed(self._writer.start()))

    def zone(self, part: ZonePart) -> None:
        """Write the next zone. Raises CannotWrite."""
        self._zones[part.id] = self._output.add(self._hashed(self._writer.zone(part)))

    def end(self) -> None:
        """Write the end. Raises InvalidExport, CannotWrite."""
        self._end = self._output.add(self._hashed(self._writer.end()))
        self._output.close()

    @property
    def digest(self) -> str:
        """The SHA-256 of the file."""
        return self._content.hexdigest()

    @property
    def version(self) -> Version:
        """The version that was written."""
        return Version(self._writer, self._start, self._zones, self._end)

    def _hashed(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self._content.update(chunk)
            yield chunk

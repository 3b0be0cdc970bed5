"""Writes the next version of a file: the zones that changed, and copies of the others."""

import os
from collections.abc import Collection, Iterable, Mapping
from typing import BinaryIO, NamedTuple

from originmap.domain.mapping.address import Address
from originmap.edge.render.output import Output, Segment, Version
from originmap.export.format import AddressWriter, Span
from originmap.export.node import Row, ZonePart


class Replaced(NamedTuple):
    """A part of the last version, and what the next version has instead; each can be empty."""

    before: Span
    after: Span


class WinningRows:
    """The row that counts for each of some addresses, of all zones."""

    def __init__(self, addresses: Iterable[Address]) -> None:
        self.rows: dict[Address, Row | None] = dict.fromkeys(addresses)

    def add(self, part: ZonePart) -> None:
        """Add the rows of the next zone."""
        for row in part.rows:
            if row.address in self.rows:
                winner = self.rows[row.address]
                if winner is None or row.mapping.revision >= winner.mapping.revision:
                    self.rows[row.address] = row


class ZoneUpdate:
    """Updates a file that is written zone by zone."""

    def __init__(
        self, output: Output, last: Version, file: BinaryIO, changed: Collection[str]
    ) -> None:
        """`file` is the last version; `changed` are the zones to write again, or to leave out."""
        self._output, self._last, self._file, self._changed = output, last, file, changed
        self._ahead = list(last.zones.items())[::-1]
        self._read, self._written = last.start.size, 0
        self._append(Span(0, last.start.size))
        self._zones: dict[str, Segment] = {}
        self._end = last.end
        self.replaced: list[Replaced] = []

    def zone(self, part: ZonePart) -> None:
        """Write the next zone, if it changed, after copies of those before it."""
        if part.id not in self._changed:
            return
        self._copy(part.id)
        before = Span(self._read, self._read)
        old = None
        if self._ahead and self._ahead[-1][0] == part.id:
            _, old = self._ahead.pop()
            before = Span(self._read, self._read + old.size)
            self._read = before.end
        new = self._zones[part.id] = self._output.add(self._last.writer.zone(part))
        after = Span(self._written, self._written + new.size)
        self._written = after.end
        if new != old:
            self._replace(before, after)

    def end(self, rows: Mapping[Address, Row | None]) -> None:
        """Write the rest."""
        self._copy(None)
        self._end = self._output.add(self._last.writer.end())
        self._output.close()

    @property
    def version(self) -> Version:
        """The version that was written."""
        return Version(self._last.writer, self._last.start, self._zones, self._end)

    @property
    def same(self) -> bool:
        """Whether the file is equal to its last version."""
        return not self.replaced and self._end == self._last.end

    def _copy(self, until: str | None) -> None:
        """Copy the zones before this one, without those that are gone."""
        start = self._read
        while self._ahead and (until is None or self._ahead[-1][0] < until):
            zone_id, segment = self._ahead.pop()
            end = self._read + segment.size
            if zone_id in self._changed:
                self._append(Span(start, self._read))
                self._last.writer.gone(zone_id)
                here = Span(self._written, self._written)
                self._replace(Span(self._read, end), here)
                start = end
            else:
                self._zones[zone_id] = segment
            self._read = end
        self._append(Span(start, self._read))

    def _replace(self, before: Span, after: Span) -> None:
        if before.start < before.end or after.start < after.end:
            self.replaced.append(Replaced(before, after))

    def _append(self, span: Span) -> None:
        self._output.copy(span, self._file)
        self._written += span.end - span.start


class AddressUpdate:
    """Updates a file that is sorted by address."""

    def __init__(
        self, output: Output, last: Version, file: BinaryIO, changed: Collection[str]
    ) -> None:
        """The parameters of `ZoneUpdate`."""
        assert isinstance(last.writer, AddressWriter)
        self._output, self._last, self._file, self._changed = output, last, file, changed
        self._writer, self._gone = last.writer, set(changed)
        self.replaced: list[Replaced] = []
        self.version = last
        self.same = False
        """Whether the file is equal to its last version."""

    def zone(self, part: ZonePart) -> None:
        """Take the next zone."""
        if part.id in self._changed:
            self._writer.note(part)
            self._gone.remove(part.id)

    def end(self, rows: Mapping[Address, Row | None]) -> None:
        """Write the file."""
        for zone_id in self._gone:
            self._writer.gone(zone_id)
        size, same = 0, True
        for chunk in self._writer.update(rows, self._file):
            if isinstance(chunk, Span):
                same = same and chunk.start == size
                size += chunk.end - chunk.start
                self._output.copy(chunk, self._file)
            else:
                same = same and os.pread(self._file.fileno(), len(chunk), size) == chunk
                size += len(chunk)
                self._output.add((chunk,))
        self._output.close()
        self.same = same and os.fstat(self._file.fileno()).st_size == size


def update_of(
    output: Output, last: Version, file: BinaryIO, changed: Collection[str]
) -> ZoneUpdate | AddressUpdate:
    """The update of a file, with the parameters of `ZoneUpdate`."""
    kind = AddressUpdate if isinstance(last.writer, AddressWriter) else ZoneUpdate
    return kind(output, last, file, changed)

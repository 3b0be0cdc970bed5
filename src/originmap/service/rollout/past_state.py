"""Snapshots of an earlier revision, and snapshots with the changes that led to them.

A snapshot of an earlier revision undoes the changes since. It holds only these changes in memory. A
mapping that is restored this way has time 0 and revision 0.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field

from originmap.domain.errors import HistoryGone
from originmap.domain.history.change import Change
from originmap.domain.history.record import Key, Value
from originmap.domain.history.snapshot import (
    History,
    Part,
    Record,
    SnapshotStart,
    ZoneMappings,
    start_of,
)
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Mapping, MappingChange, Place
from originmap.store.port import Store

_CHUNK = 1_000


async def released_snapshot(store: Store, at: int | None) -> AsyncGenerator[Part, None]:
    """Yield a snapshot as of revision `at`; of now if `at` is None or not reached yet.

    Raises HistoryGone, before the first part, if the history does not go back that far. Close the
    generator unless it is read to its end.
    """
    async with contextlib.aclosing(store.snapshot()) as parts:
        start = await start_of(parts)
        if at is None or at >= start.revision:
            yield start
            async for part in parts:
                yield part
            return
        undo = _Undo(start.at)
        async for chunk in changes_up_to(start, store, at):
            undo.note(chunk)
        yield SnapshotStart(start.epoch, at, undo.time)
        async for part in undo.undone(parts):
            yield part


async def snapshot_since(store: Store, since: int | None) -> AsyncGenerator[Part, None]:
    """Yield a snapshot of now, followed by the changes after revision `since`, so that a copy can
    restore every revision since. The changes are left out if `since` is None or older than the
    history."""
    async with contextlib.aclosing(store.snapshot()) as parts:
        start = await start_of(parts)
        yield start
        async for part in parts:
            yield part
    if since is not None and store.oldest <= since < start.revision:
        async for chunk in changes_up_to(start, store, since):
            yield History(chunk)


async def changes_up_to(
    start: SnapshotStart, store: Store, since: int, at_once: int = _CHUNK
) -> AsyncIterator[list[Change]]:
    """Yield every change after `since` up to a snapshot's start, in order, in lists of up to
    `at_once`, with a yield to the event loop after each. Raises HistoryGone."""
    generation = store.generation
    while since < start.revision:
        chunk = await store.changes(since, min(at_once, start.revision - since))
        # Check after the read: another process may have trimmed the history during it, or a replica
        # may have loaded another database.
        loaded = store.epoch != start.epoch or store.generation != generation
        if loaded or not chunk or chunk[0].revision != since + 1:
            raise HistoryGone(store.oldest)
        yield chunk
        since = chunk[-1].revision
        await asyncio.sleep(0)


@dataclass
class _Undo:
    """The state before the changes that are undone."""

    time: int
    """A time not after the commit of the revision."""
    _first: Change | None = None
    _records: dict[Key, Value | None] = field(default_factory=dict)
    _mappings: dict[str, dict[Address, Place | None]] = field(default_factory=dict)

    def note(self, changes: list[Change]) -> None:
        """Add changes to undo, in the order of their revisions: the first change of each object
        counts."""
        if self._first is None:
            self._first, self.time = changes[0], changes[0].at - 1
        for change in changes:
            what = change.what
            if isinstance(what, MappingChange):
                zone = self._mappings.setdefault(change.zone_id, {})
                zone.setdefault(what.address, what.before)
            else:
                self._records.setdefault(what.key, what.before)

    async def undone(self, parts: AsyncIterator[Part]) -> AsyncIterator[Part]:
        """Yield the parts after the start as they were before the changes."""
        waiting: list[Part] = self._deleted_records()
        ahead = sorted(self._mappings, reverse=True)
        async for part in parts:
            if isinstance(part, Record):
                if part.key not in self._records:
                    yield part
                continue
            assert isinstance(part, ZoneMappings)
            for earlier in (*waiting, *self._zones(ahead, part.zone_id)):
                yield earlier
            waiting = []
            if mappings := self._merged(part):
                yield ZoneMappings(part.zone_id, mappings)
        for earlier in (*waiting, *self._zones(ahead, None)):
            yield earlier

    def _deleted_records(self) -> list[Part]:
        return [Record(key, value) for key, value in self._records.items() if value is not None]

    def _merged(self, part: ZoneMappings) -> list[Mapping]:
        """Return a part of a zone's mappings as it was, in the order of addresses."""
        changed = self._mappings.get(part.zone_id)
        if not changed:
            return part.mappings
        kept = [m for m in part.mappings if m.address not in changed]
        due = [address for address in changed if address <= part.mappings[-1].address]
        return sorted(kept + _as_it_was({address: changed.pop(address) for address in due}))

    def _zones(self, ahead: list[str], until: str | None) -> list[Part]:
        """Return the remaining changed zones before zone `until`. `ahead` has their IDs in falling
        order."""
        parts: list[Part] = []
        while ahead and (until is None or ahead[-1] < until):
            zone_id = ahead.pop()
            if rest := _as_it_was(self._mappings[zone_id]):
                parts.append(ZoneMappings(zone_id, sorted(rest)))
        return parts


def _as_it_was(places: dict[Address, Place | None]) -> list[Mapping]:
    return [Mapping(address, place, 0, 0) for address, place in places.items() if place is not None]

"""Stops storing a snapshot before it fills the disk."""

from collections.abc import AsyncIterator

from originmap.domain.errors import StoreFailed
from originmap.domain.history.snapshot import History, Part, Record, ZoneMappings
from originmap.store.port import Store

_LEAST = 4 << 20
_OF_MAPPING, _OF_CHANGE, _OF_RECORD = 80, 250, 1_000
"""Approximate bytes on disk of one mapping, change or record."""
_OFTEN = 16


async def within_room(store: Store, parts: AsyncIterator[Part]) -> AsyncIterator[Part]:
    """Pass the parts through. Raises StoreFailed, before the disk is full, if they do not fit."""
    before, stored = await store.size(), 0
    number = 0
    async for part in parts:
        if number % _OFTEN == 0 or isinstance(part, Record | History):
            await _check(store, before, stored)
        number += 1
        stored += _size(part)
        yield part


async def _check(store: Store, before: int, stored: int) -> None:
    """Data is in the write-ahead log first and stays there until it is in the database too, so it
    needs up to twice its size."""
    room = store.room()
    if room is None:
        return
    grown = max(await store.size() - before, 0)
    if room < _LEAST + max(2 * stored - grown, grown):
        error = StoreFailed(f"the snapshot does not fit on the disk: {room >> 20:,} MiB free")
        error.hint = "free space on the disk, or move the database to a larger disk"
        raise error


def _size(part: Part) -> int:
    match part:
        case ZoneMappings(_, mappings):
            return _OF_MAPPING * len(mappings)
        case History(changes):
            return _OF_CHANGE * len(changes)
        case Record():
            return _OF_RECORD
    return 0

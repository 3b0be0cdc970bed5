"""The past mappings of a zone, and rollback to them."""

from typing import NamedTuple

from originmap.domain.errors import HistoryGone, InvalidQuery, ZoneChanging
from originmap.domain.history.change import Cause, Change
from originmap.domain.history.rollback import restore
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import MAX_MAPPINGS, Mapping, MappingChange, Place
from originmap.service.turns import PIECE, Turns
from originmap.store.port import Store

_LOOKUPS = 5
"""Addresses whose last change is looked up in one turn: an address with many changes takes over a
millisecond."""
_ATTEMPTS = 5


class Past(NamedTuple):
    """A zone's mappings by address as of `revision`. A mapping that has changed since has the
    revision and time of that point, or 0 if the history does not go back that far."""

    revision: int
    mappings: dict[Address, Mapping]
    looked_through: int = 0  # number of changes that were read

    @property
    def places(self) -> dict[Address, Place]:
        """The region of each address."""
        return {address: mapping.place for address, mapping in self.mappings.items()}


class Rollback(NamedTuple):
    """The changes that a rollback makes, or would make; `revision` is the one after it."""

    to: int
    revision: int
    changes: tuple[MappingChange, ...]


class ZoneHistory:
    """Reads the history of one zone, and rolls the zone back."""

    def __init__(self, store: Store, turns: Turns | None = None) -> None:
        self._store = store
        self.turns = turns or Turns()

    async def changes(
        self, zone_id: str, address: Address | None, before: int | None, limit: int
    ) -> list[Change]:
        """Return changes of a zone, or of one of its addresses, newest first, before revision
        `before` if it is set."""
        bound = self._store.revision + 1
        if before is not None:
            bound = min(before, bound)
        changes = list[Change]()
        while len(changes) < limit:
            await self.turns.next()
            portion = min(PIECE, limit - len(changes))
            chunk = await self._store.changes_before(bound, portion, zone_id, address)
            if not chunk:
                break
            changes += chunk
            bound = chunk[-1].revision
        return changes

    async def of_mappings(
        self, zone_id: str, address: Address | None, limit: int
    ) -> list[tuple[Change, MappingChange]]:
        """Return the last `limit` changes of a zone's mappings, or of one mapping, newest first;
        changes of the zone itself are skipped."""
        changes = list[tuple[Change, MappingChange]]()
        before = None
        while len(changes) < limit and (
            chunk := await self.changes(zone_id, address, before, limit)
        ):
            changes += [(c, c.what) for c in chunk if isinstance(c.what, MappingChange)]
            before = chunk[-1].revision
        return changes[:limit]

    async def at(self, zone_id: str, revision: int | None) -> Past:
        """Return the mappings as of `revision`, None for now. Raises HistoryGone, InvalidQuery."""
        if revision is None:
            await self.turns.next()
            page = await self._store.page(zone_id, 0, MAX_MAPPINGS)
            return Past(page.revision, {m.address: m for m in page.mappings})
        self._check(revision)
        mappings, changed, count = await self._now_and_before(zone_id, revision)
        async for piece in self.turns.pieces(list(changed.items()), _LOOKUPS):
            for address, place in piece:
                mappings.pop(address, None)
                if place is not None:
                    mappings[address] = await self._as_it_was(zone_id, address, place, revision)
        return Past(revision, mappings, count)

    async def rollback(self, zone_id: str, to: int, cause: Cause, *, dry_run: bool) -> Rollback:
        """Restore the mappings of revision `to`, in one transaction that is recorded like any other
        change.

        Raises HistoryGone, InvalidQuery; ZoneChanging if other writers added addresses to the zone
        during every attempt.
        """
        for _ in range(_ATTEMPTS):
            places = await self._places_at(zone_id, to)
            now = await self.at(zone_id, None)
            decide = restore(places, dry_run=dry_run)
            addresses = tuple({*places, *now.mappings})
            try:
                done = await self._store.write(zone_id, addresses, decide, cause)
            except ZoneChanging:
                continue
            further = 0 if dry_run else max(len(done.outcome) - 1, 0)
            return Rollback(to, done.revision + further, done.outcome)
        raise ZoneChanging(
            "the zone changed during every attempt, so nothing was rolled back: try again"
        )

    async def _places_at(self, zone_id: str, revision: int) -> dict[Address, Place]:
        """Return the regions of `at`, without the revision and time of each mapping."""
        self._check(revision)
        mappings, changed, _ = await self._now_and_before(zone_id, revision)
        places: dict[Address, Place | None] = {a: m.place for a, m in mappings.items()}
        places |= changed
        return {address: place for address, place in places.items() if place is not None}

    async def _now_and_before(
        self, zone_id: str, revision: int
    ) -> tuple[dict[Address, Mapping], dict[Address, Place | None], int]:
        """Return the current mappings, the former region of each address that changed since
        `revision`, and the number of changes. If writes happen meanwhile, only the new changes are
        read again."""
        since, before, count = revision, dict[Address, Place | None](), 0
        while True:
            while chunk := await self._chunk(zone_id, since, PIECE):
                for change in chunk:
                    if isinstance(change.what, MappingChange):
                        before.setdefault(change.what.address, change.what.before)
                since, count = chunk[-1].revision, count + len(chunk)
            page = await self._store.page(zone_id, 0, MAX_MAPPINGS)
            if not await self._store.changes(since, 1, zone_id):
                return {m.address: m for m in page.mappings}, before, count

    async def _chunk(self, zone_id: str, since: int, limit: int) -> list[Change]:
        await self.turns.next()
        return await self._store.changes(since, limit, zone_id)

    async def _as_it_was(
        self, zone_id: str, address: Address, place: Place, revision: int
    ) -> Mapping:
        before = await self._store.changes_before(revision + 1, 1, zone_id, address)
        if not before:
            return Mapping(address, place, 0, 0)
        return Mapping(address, place, before[0].at, before[0].revision)

    def _check(self, revision: int) -> None:
        if revision > self._store.revision:
            raise InvalidQuery(f"revision {revision} has not been reached")
        if revision < self._store.oldest:
            raise HistoryGone(self._store.oldest)

"""A zone's mappings as they were, and back to that."""

from typing import NamedTuple

from originmap.domain.errors import HistoryGone, InvalidQuery, ZoneChanging
from originmap.domain.history.change import Cause, Change
from originmap.domain.history.rollback import restore
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import MAX_MAPPINGS, Mapping, MappingChange, Place
from originmap.service.turns import PIECE, Turns
from originmap.store.port import Store

_LOOKUPS = 5
"""Addresses whose last change is looked for in one turn: one of many changes takes over a
millisecond."""
_ATTEMPTS = 5


class Past(NamedTuple):
    """A zone's mappings by address as of `revision`. Those that were changed since have the
    revision and time that they had then, 0 where the history no longer tells."""

    revision: int
    mappings: dict[Address, Mapping]
    looked_through: int = 0  # how many changes were

    @property
    def places(self) -> dict[Address, Place]:
        """The place of each address."""
        return {address: mapping.place for address, mapping in self.mappings.items()}


class Rollback(NamedTuple):
    """What a rollback changes or changed; `revision` is the one reached."""

    to: int
    revision: int
    changes: tuple[MappingChange, ...]


class ZoneHistory:
    """Reads the history of one zone, and undoes it."""

    def __init__(self, store: Store, turns: Turns | None = None) -> None:
        self._store = store
        self.turns = turns or Turns()

    async def changes(
        self, zone_id: str, address: Address | None, before: int | None, limit: int
    ) -> list[Change]:
        """Changes of a zone or one address of it, newest first; earlier than revision `before`
        where it is given."""
        bound = self._store.revision + 1
        if before is not None:
            bound = min(before, bound)
        found = list[Change]()
        while len(found) < limit:
            await self.turns.next()
            portion = min(PIECE, limit - len(found))
            chunk = await self._store.changes_before(bound, portion, zone_id, address)
            if not chunk:
                break
            found += chunk
            bound = chunk[-1].revision
        return found

    async def of_mappings(
        self, zone_id: str, address: Address | None, limit: int
    ) -> list[tuple[Change, MappingChange]]:
        """The last `limit` changes of a zone's mappings or one of them, newest first, each with
        what it is; changes of the zone itself are passed over."""
        found = list[tuple[Change, MappingChange]]()
        before = None
        while len(found) < limit and (chunk := await self.changes(zone_id, address, before, limit)):
            found += [(c, c.what) for c in chunk if isinstance(c.what, MappingChange)]
            before = chunk[-1].revision
        return found[:limit]

    async def at(self, zone_id: str, revision: int | None) -> Past:
        """The mappings as of `revision`, None for now. Raises HistoryGone, InvalidQuery."""
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
        """Make the mappings what they were at revision `to`, in one transaction, which is a
        change like any other. Raises HistoryGone, InvalidQuery; ZoneChanging when others
        kept adding to the zone each time."""
        for _ in range(_ATTEMPTS):
            places = await self._places_at(zone_id, to)
            now = await self.at(zone_id, None)
            decide = restore(places, dry_run=dry_run)
            addresses = tuple({*places, *now.mappings})
            try:
                done = await self._store.write(zone_id, addresses, decide, cause)
            except ZoneChanging:
                continue
            made = 0 if dry_run else max(len(done.outcome) - 1, 0)
            return Rollback(to, done.revision + made, done.outcome)
        raise ZoneChanging("others kept adding to the zone; nothing was rolled back")

    async def _places_at(self, zone_id: str, revision: int) -> dict[Address, Place]:
        """The places of `at`, without looking for when each got there."""
        self._check(revision)
        mappings, changed, _ = await self._now_and_before(zone_id, revision)
        places: dict[Address, Place | None] = {a: m.place for a, m in mappings.items()}
        places |= changed
        return {address: place for address, place in places.items() if place is not None}

    async def _now_and_before(
        self, zone_id: str, revision: int
    ) -> tuple[dict[Address, Mapping], dict[Address, Place | None], int]:
        """The mappings of now; of each address that was changed since `revision`, where it was
        before; and how many changes there were. However much is written meanwhile, only what
        is new is read again."""
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

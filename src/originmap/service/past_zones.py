"""Zones that are there or were, by id: the history tells of both."""

from originmap.domain.record import Key, Kind, RecordChange
from originmap.domain.zone import Zone
from originmap.service.directory import Directory
from originmap.store.port import Store

_MAX_KNOWN = 10_000


class PastZones:
    """Looks zones up, those that are gone in the history."""

    def __init__(self, store: Store, directory: Directory) -> None:
        self._store = store
        self._directory = directory
        self._gone: dict[str, Zone | None] = {}

    async def zone(self, zone_id: str) -> Zone | None:
        """The zone; None where the history does not know it, or no longer."""
        zone = self._directory.zone(zone_id)
        if zone is not None:
            return zone
        if zone_id not in self._gone:
            if len(self._gone) >= _MAX_KNOWN:
                self._gone.clear()
            self._gone[zone_id] = await self._from_history(zone_id)
        return self._gone[zone_id]

    async def _from_history(self, zone_id: str) -> Zone | None:
        last = await self._store.last_record_change(Key(Kind.ZONE, zone_id))
        gone = last.what if last is not None else None
        if isinstance(gone, RecordChange) and isinstance(gone.before, Zone):
            return gone.before
        return None

"""Zones that are there or were, by id: the history tells of both, and of those that another node
has made and this one has not heard of yet."""

from originmap.domain.history.record import Key, Kind, RecordChange
from originmap.domain.zone.zone import Zone
from originmap.service.access.directory import Directory
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
        if zone_id in self._gone:
            return self._gone[zone_id]
        last = await self._store.last_record_change(Key(Kind.ZONE, zone_id))
        what = last.what if last is not None else None
        assert what is None or isinstance(what, RecordChange)
        if what is not None and isinstance(what.after, Zone):
            return what.after
        gone = what.before if what is not None else None
        if len(self._gone) >= _MAX_KNOWN:
            self._gone.clear()
        self._gone[zone_id] = gone if isinstance(gone, Zone) else None
        return self._gone[zone_id]

"""Existing and deleted zones by ID.

Deleted zones come from the history. So do zones that another process has just created and this one
has not loaded yet.
"""

from originmap.domain.history.record import Key, Kind, RecordChange
from originmap.domain.zone.zone import Zone
from originmap.service.access.directory import Directory
from originmap.store.port import Store

_MAX_DELETED = 10_000


class PastZones:
    """Looks up zones, and deleted zones in the history."""

    def __init__(self, store: Store, directory: Directory) -> None:
        self._store = store
        self._directory = directory
        self._deleted: dict[str, Zone | None] = {}

    async def zone(self, zone_id: str) -> Zone | None:
        """Return the zone, or None if neither the directory nor the history has it."""
        zone = self._directory.zone(zone_id)
        if zone is not None:
            return zone
        if zone_id in self._deleted:
            return self._deleted[zone_id]
        last = await self._store.last_record_change(Key(Kind.ZONE, zone_id))
        what = last.what if last is not None else None
        assert what is None or isinstance(what, RecordChange)
        if what is not None and isinstance(what.after, Zone):
            return what.after
        deleted = what.before if what is not None else None
        if len(self._deleted) >= _MAX_DELETED:
            self._deleted.clear()
        self._deleted[zone_id] = deleted if isinstance(deleted, Zone) else None
        return self._deleted[zone_id]

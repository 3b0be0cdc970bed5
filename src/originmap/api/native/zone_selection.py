"""Selects the zones of a request that can name several."""

from collections.abc import Sequence

from originmap.api.guard import Guard
from originmap.api.http.request import Request
from originmap.domain.access.permissions import READ_STATE
from originmap.domain.zone.zone import Zone
from originmap.service.access.directory import Caller, Directory


class ZoneSelection:
    """Selects zones whose mappings a caller can read."""

    def __init__(self, guard: Guard, directory: Directory) -> None:
        self._access = guard.access
        self._directory = directory

    def of(self, request: Request, caller: Caller, names: Sequence[str]) -> list[Zone]:
        """The zones with these IDs or names, or all that the caller can read. Raises
        Forbidden."""
        if not names:
            return self._access.readable_zones(caller, READ_STATE)
        found = {}
        for name in dict.fromkeys(names):
            zone = self._access.zone(caller, READ_STATE, self._directory.zone_id(name))
            found[zone.id] = zone
        if len(found) == 1:
            request.zone_id = next(iter(found))
        return list(found.values())

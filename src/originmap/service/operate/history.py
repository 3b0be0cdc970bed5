"""A zone's past, for the operator."""

from typing import Any

import msgspec

from originmap.domain import address as addresses
from originmap.domain.mapping import MappingChange
from originmap.feed.changes_json import mapping_change_json
from originmap.service.directory import Directory
from originmap.service.history import ZoneHistory
from originmap.service.operate.parts import OPERATOR, Handlers, zone_called


class ListHistory(msgspec.Struct, frozen=True, tag=True):
    """The last `limit` changes of a zone's mappings, newest first; of one address, where given."""

    zone: str
    limit: int
    ip: str | None = None


class Diff(msgspec.Struct, frozen=True, tag=True):
    """How a zone's mappings differ between two revisions; `until` None stands for now."""

    zone: str
    since: int
    until: int | None = None


class RollbackZone(msgspec.Struct, frozen=True, tag=True):
    """Make a zone's mappings what they were at a revision; with `dry_run` only tell."""

    zone: str
    to: int
    dry_run: bool


class OperateHistory:
    """As `parts.Subject`."""

    def __init__(self, history: ZoneHistory, directory: Directory) -> None:
        self._history = history
        self._directory = directory

    @property
    def handlers(self) -> Handlers:
        """As `Subject.handlers`."""
        return {ListHistory: self._list, Diff: self._diff, RollbackZone: self._rollback}

    async def _list(self, command: ListHistory) -> list[dict[str, Any]]:
        zone = zone_called(self._directory, command.zone)
        address = addresses.parse(command.ip) if command.ip is not None else None
        changes = await self._history.of_mappings(zone.id, address, command.limit)
        return [
            {
                "revision": change.revision,
                "at": change.at,
                "who": change.cause.credential,
                "from": change.cause.client,
                **mapping_change_json(what),
            }
            for change, what in changes
        ]

    async def _diff(self, command: Diff) -> list[dict[str, Any]]:
        zone = zone_called(self._directory, command.zone)
        old = (await self._history.at(zone.id, command.since)).places
        new = (await self._history.at(zone.id, command.until)).places
        return [
            mapping_change_json(MappingChange(address, old.get(address), new.get(address)))
            for address in sorted({*old, *new})
            if old.get(address) != new.get(address)
        ]

    async def _rollback(self, command: RollbackZone) -> list[dict[str, Any]]:
        zone = zone_called(self._directory, command.zone)
        done = await self._history.rollback(zone.id, command.to, OPERATOR, dry_run=command.dry_run)
        return [mapping_change_json(change) for change in done.changes]

"""The history, for the operator."""

import msgspec

from originmap.service.audit import Audit, AuditEntry, AuditQuery
from originmap.service.operate.parts import Handlers


class ListChanges(msgspec.Struct, frozen=True, tag=True):
    """The last `limit` changes, newest first; of one zone, by name, where it is given."""

    limit: int
    zone: str | None = None


class OperateChanges:
    """As `parts.Subject`."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    @property
    def handlers(self) -> Handlers:
        """As `Subject.handlers`."""
        return {ListChanges: self._list}

    async def _list(self, command: ListChanges) -> list[AuditEntry]:
        return await self._audit.entries(AuditQuery(zone_name=command.zone), 0, command.limit)

"""The audit log of all accounts: GET /originmap/v1/audit."""

import msgspec

from originmap.api import envelope
from originmap.api.guard import Guard
from originmap.api.http.request import Request
from originmap.api.http.response import Response
from originmap.api.native.arguments import arguments, number
from originmap.api.native.feed.positions import MOST_CHANGES
from originmap.api.timestamps import timestamp
from originmap.service.history.audit import Audit, AuditEntry, AuditQuery


class AuditList:
    """GET /originmap/v1/audit"""

    def __init__(self, guard: Guard, audit: Audit) -> None:
        self._guard = guard
        self._audit = audit

    async def list_entries(self, request: Request) -> Response:
        """The last `limit` changes, newest first; optionally of one `zone`, by name."""
        values = arguments(request, ("zone", "limit"))
        limit = number(values, "limit", 100, 1, MOST_CHANGES)
        self._guard.charge(request, limit - 100)
        query = AuditQuery(zone_name=values.get("zone", [None])[-1])
        shown = list[dict[str, object]]()
        found = await self._audit.entries(query, 0, limit)
        async for piece in self._audit.turns.pieces(found):
            shown += [_json(entry) for entry in piece]
        return Response(envelope.success(shown))


def _json(entry: AuditEntry) -> dict[str, object]:
    members: dict[str, object] = msgspec.to_builtins(entry)
    return members | {"at": timestamp(entry.at)}

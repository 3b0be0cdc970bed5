"""A zone's history: GET …/zones/{zone}/history, GET …/mappings?at=REV, POST …/rollback."""

from typing import Annotated

import msgspec

from originmap.api import envelope
from originmap.api.guard import Guard
from originmap.api.http.request import Request
from originmap.api.http.response import Response
from originmap.api.native.arguments import arguments, number, read_as
from originmap.api.native.feed.delta_json import all_changes_json
from originmap.api.timestamps import timestamp
from originmap.domain.history.change import LAST_REVISION
from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.mapping import Mapping
from originmap.feed.changes_json import mapping_change_json
from originmap.service.history.history import ZoneHistory

_MOST = 1_000


class ZoneRoute:
    """Base class of the routes of a zone's history."""

    def __init__(self, guard: Guard, history: ZoneHistory) -> None:
        self._guard = guard
        self._history = history


class ZoneChanges(ZoneRoute):
    """GET /originmap/v1/zones/{zone}/history; the zone by ID or name."""

    async def list_changes(self, request: Request) -> Response:
        """Changes, newest first; optionally of one `ip`, and before a revision."""
        values = arguments(request, ("ip", "before", "limit"))
        address = addresses.parse(values["ip"][-1]) if "ip" in values else None
        before = number(values, "before", LAST_REVISION, 1, LAST_REVISION)
        limit = number(values, "limit", 100, 1, _MOST)
        self._guard.charge(request, limit - 100)
        changes = await self._history.changes(request.zone_id, address, before, limit)
        return Response(envelope.success(await all_changes_json(changes, self._history.turns)))


class PastMappings(ZoneRoute):
    """GET /originmap/v1/zones/{zone}/mappings"""

    async def list_mappings(self, request: Request) -> Response:
        """All mappings with their revisions; optionally as of revision `at`."""
        values = arguments(request, ("at",))
        at = number(values, "at", 0, 0, LAST_REVISION) if "at" in values else None
        past = await self._history.at(request.zone_id, at)
        self._guard.charge(request, past.looked_through // 10)
        ordered = list[dict[str, object]]()
        async for piece in self._history.turns.pieces(sorted(past.mappings)):
            ordered += [_mapping_json(past.mappings[address]) for address in piece]
        return Response(envelope.success({"revision": past.revision, "mappings": ordered}))


class _Request(msgspec.Struct, forbid_unknown_fields=True):
    to: Annotated[int, msgspec.Meta(ge=0, le=LAST_REVISION)]
    dry_run: bool = False


_REQUEST = msgspec.json.Decoder(_Request)


class ZoneRollback(ZoneRoute):
    """POST /originmap/v1/zones/{zone}/rollback"""

    async def rollback(self, request: Request) -> Response:
        """Restore the mappings of revision `to`; with `dry_run`, only return the changes."""
        body = read_as(request, _REQUEST)
        cause = request.cause()
        done = await self._history.rollback(request.zone_id, body.to, cause, dry_run=body.dry_run)
        answer = {
            "to": done.to,
            "dry_run": body.dry_run,
            "revision": done.revision,
            "changes": [mapping_change_json(change) for change in done.changes],
        }
        return Response(envelope.success(answer))


def _mapping_json(m: Mapping) -> dict[str, object]:
    return {
        "origin_ip": addresses.text(m.address),
        "vendor": m.place.vendor,
        "region": m.place.region,
        "modified_on": timestamp(m.modified_on) if m.revision else None,
        "revision": m.revision or None,
    }

"""A zone's past: GET …/zones/{zone}/history, GET …/mappings?at=REV, POST …/rollback."""

from typing import Annotated, Any
from urllib.parse import unquote

import msgspec
from falcon.asgi import Request, Response

from originmap.api import envelope
from originmap.api.auth import Guard
from originmap.api.native.arguments import arguments, read_as
from originmap.api.native.delta_json import all_changes_json
from originmap.api.native.points import number
from originmap.api.request import info_of
from originmap.api.timestamps import timestamp
from originmap.domain import address as addresses
from originmap.domain.access import READ_MAPPINGS, WRITE_MAPPINGS, Need
from originmap.domain.change import LAST_REVISION
from originmap.domain.mapping import Mapping
from originmap.domain.zone import Zone
from originmap.feed.changes_json import mapping_change_json
from originmap.service.directory import Directory
from originmap.service.history import ZoneHistory

_MOST = 1_000


class ZoneRoute:
    """What the routes of one zone's past share."""

    def __init__(self, guard: Guard, directory: Directory, history: ZoneHistory) -> None:
        self._guard = guard
        self._directory = directory
        self._history = history

    def _zone(self, req: Request, need: Need, zone: str) -> Zone:
        return self._guard.zone(req, need, self._directory.zone_id(unquote(zone)))


class ZoneChanges(ZoneRoute):
    """GET /originmap/v1/zones/{zone}/history; the zone by id or name."""

    async def on_get(self, req: Request, resp: Response, zone: str) -> None:
        """Changes, newest first; of one `ip`, and before a revision, where they are given."""
        found = self._zone(req, READ_MAPPINGS, zone)
        values = arguments(req, ("ip", "before", "limit"))
        address = addresses.parse(values["ip"][-1]) if "ip" in values else None
        before = number(values, "before", LAST_REVISION, 1, LAST_REVISION)
        limit = number(values, "limit", 100, 1, _MOST)
        self._guard.charge(req, limit - 100)
        changes = await self._history.changes(found.id, address, before, limit)
        resp.data = envelope.success(await all_changes_json(changes, self._history.turns))


class ZoneMappings(ZoneRoute):
    """GET /originmap/v1/zones/{zone}/mappings"""

    async def on_get(self, req: Request, resp: Response, zone: str) -> None:
        """All mappings, with their revisions; as of revision `at` where it is given."""
        found = self._zone(req, READ_MAPPINGS, zone)
        values = arguments(req, ("at",))
        at = number(values, "at", 0, 0, LAST_REVISION) if "at" in values else None
        past = await self._history.at(found.id, at)
        self._guard.charge(req, past.looked_through // 10)
        ordered = list[dict[str, Any]]()
        async for piece in self._history.turns.pieces(sorted(past.mappings)):
            ordered += [_mapping_json(past.mappings[address]) for address in piece]
        resp.data = envelope.success({"revision": past.revision, "mappings": ordered})


class _Request(msgspec.Struct, forbid_unknown_fields=True):
    to: Annotated[int, msgspec.Meta(ge=0, le=LAST_REVISION)]
    dry_run: bool = False


_REQUEST = msgspec.json.Decoder(_Request)


class ZoneRollback(ZoneRoute):
    """POST /originmap/v1/zones/{zone}/rollback"""

    async def on_post(self, req: Request, resp: Response, zone: str) -> None:
        """Make the mappings what they were at revision `to`; with `dry_run` only tell what that
        would change."""
        found = self._zone(req, WRITE_MAPPINGS, zone)
        asked = await read_as(req, _REQUEST)
        cause = info_of(req.scope).cause()
        done = await self._history.rollback(found.id, asked.to, cause, dry_run=asked.dry_run)
        resp.data = envelope.success(
            {
                "to": done.to,
                "dry_run": asked.dry_run,
                "revision": done.revision,
                "changes": [mapping_change_json(change) for change in done.changes],
            }
        )


def _mapping_json(m: Mapping) -> dict[str, Any]:
    return {
        "origin_ip": addresses.text(m.address),
        "vendor": m.place.vendor,
        "region": m.place.region,
        "modified_on": timestamp(m.modified_on) if m.revision else None,
        "revision": m.revision or None,
    }

"""Zones themselves: /zones and /zones/{zone_id}.

Published operations zones-get, zones-post, zones-0-get, zones-0-patch and zones-0-delete.
"""

from typing import Any

from falcon.asgi import Request, Response

from originmap.api import envelope, errors
from originmap.api.auth import Guard
from originmap.api.body import read_object
from originmap.api.cloudflare.zone_json import zone_json
from originmap.api.query import page_of, part_of, text_of
from originmap.api.request import info_of
from originmap.domain.access import READ_ZONE, WRITE_ZONE
from originmap.domain.errors import (
    AccountNotFound,
    InvalidNameServers,
    InvalidZoneChange,
    InvalidZoneType,
)
from originmap.domain.hostname import is_hostname
from originmap.domain.zone import Zone, ZoneType
from originmap.domain.zone_filter import ORDERS, ZoneQuery
from originmap.domain.zone_name import lookup_name
from originmap.service.zones import Zones

MAX_PER_PAGE = 50
MAX_NAME_SERVERS = 20


class ZoneList:
    """GET, POST /zones"""

    refusals = errors.CORE

    def __init__(self, guard: Guard, zones: Zones) -> None:
        self._guard = guard
        self._zones = zones

    async def on_get(self, req: Request, resp: Response) -> None:
        """A page of the zones that the caller may read and asks for."""
        caller = self._guard.caller(req)
        page, per_page = page_of(req, MAX_PER_PAGE)
        found = self._zones.visible(caller, _query(req))
        part = [zone_json(z, self._zones.account_of(z)) for z in part_of(found, page, per_page)]
        resp.data = envelope.page(part, page, per_page, len(found))

    async def on_post(self, req: Request, resp: Response) -> None:
        """Add a zone. It is answered as pending, as published, and active from then on: nothing
        here waits for a registrar."""
        self._guard.caller(req)
        body = await read_object(req)
        account = body.get("account")
        account_id = account.get("id") if isinstance(account, dict) else None
        if not isinstance(account_id, str):
            raise AccountNotFound(str(account_id))
        self._guard.access.every_zone_of(self._guard.sender(req), WRITE_ZONE, account_id)
        type_, cause = _type(body.get("type", "full")), info_of(req.scope).cause()
        vanity = _name_servers(body.get("vanity_name_servers"))
        zone = await self._zones.create(body.get("name"), account_id, type_, vanity, cause)
        resp.data = envelope.success(zone_json(zone, self._zones.account_of(zone), "pending"))


class ZoneItem:
    """GET, PATCH, DELETE /zones/{zone_id}"""

    refusals = errors.CORE

    def __init__(self, guard: Guard, zones: Zones) -> None:
        self._guard = guard
        self._zones = zones

    async def on_get(self, req: Request, resp: Response, zone_id: str) -> None:
        """One zone."""
        caller = self._guard.caller(req)
        zone = self._guard.access.zone_by_id(caller, READ_ZONE, zone_id)
        resp.data = self._answer(zone)

    async def on_patch(self, req: Request, resp: Response, zone_id: str) -> None:
        """Change one of `paused`, `type` and `vanity_name_servers`."""
        self._guard.check(req, lambda c: self._guard.access.zone_by_id(c, WRITE_ZONE, zone_id))
        body = await read_object(req)
        info = info_of(req.scope)
        match list(body.items()):
            case [("paused", bool(paused))]:
                zone = await self._zones.pause(zone_id, paused, info.cause())
            case [("type", str(type_))] if type_ in set(ZoneType):
                zone = await self._zones.retype(zone_id, ZoneType(type_), info.cause())
            case [("vanity_name_servers", names)]:
                servers = _name_servers(names)
                zone = await self._zones.name_servers(zone_id, servers, info.cause())
            case _:
                raise InvalidZoneChange
        resp.data = self._answer(zone)

    async def on_delete(self, req: Request, resp: Response, zone_id: str) -> None:
        """Remove a zone with its mappings."""
        self._guard.check(req, lambda c: self._guard.access.zone_by_id(c, WRITE_ZONE, zone_id))
        await self._zones.delete(zone_id, info_of(req.scope).cause())
        resp.data = envelope.success({"id": zone_id})

    def _answer(self, zone: Zone) -> bytes:
        return envelope.success(zone_json(zone, self._zones.account_of(zone)))


def _type(value: Any) -> ZoneType:
    try:
        return ZoneType(value)
    except ValueError:
        raise InvalidZoneType from None


def _name_servers(value: Any) -> tuple[str, ...] | None:
    """Kept and answered as they were sent; only what names hosts."""
    if value is None:
        return None
    if not isinstance(value, list) or len(value) > MAX_NAME_SERVERS:
        raise InvalidNameServers
    if not all(isinstance(name, str) and is_hostname(lookup_name(name)) for name in value):
        raise InvalidNameServers
    return tuple(value)


def _query(req: Request) -> ZoneQuery:
    """The published filters; values that mean nothing are ignored, as stray arguments are."""
    order = text_of(req, "order") or "name"
    types = text_of(req, "type")
    return ZoneQuery(
        name=text_of(req, "name"),
        status=text_of(req, "status"),
        types=tuple(types.split(",")) if types else None,
        account_id=text_of(req, "account.id"),
        account_name=text_of(req, "account.name"),
        order=order if order in ORDERS else "name",
        descending=text_of(req, "direction") == "desc",
        any_matches=text_of(req, "match") == "any",
    )

"""Zones themselves: /zones and /zones/{zone_id}.

Published operations zones-get, zones-post, zones-0-get, zones-0-patch and zones-0-delete.
"""

from typing import Any

from originmap.api import envelope
from originmap.api.body import object_of
from originmap.api.cloudflare.zone_json import zone_json
from originmap.api.http.request import Request
from originmap.api.http.response import Response
from originmap.api.query import page_of, part_of, text_of
from originmap.domain.access.permissions import WRITE_ZONE
from originmap.domain.errors import (
    AccountNotFound,
    InvalidNameServers,
    InvalidZoneChange,
    InvalidZoneType,
)
from originmap.domain.hostname import is_hostname
from originmap.domain.zone.filter import ORDERS, ZoneQuery
from originmap.domain.zone.name import lookup_name
from originmap.domain.zone.zone import Zone, ZoneType
from originmap.service.access.access import Access
from originmap.service.access.directory import Directory
from originmap.service.mapping.zones import Zones

MAX_PER_PAGE = 50
MAX_NAME_SERVERS = 20


class ZoneRoutes:
    """GET, POST /zones and GET, PATCH, DELETE /zones/{zone_id}"""

    def __init__(self, access: Access, directory: Directory, zones: Zones) -> None:
        self._access = access
        self._directory = directory
        self._zones = zones

    def list_zones(self, request: Request) -> Response:
        """A page of the zones that the caller can read and that match the filters."""
        page, per_page = page_of(request, MAX_PER_PAGE)
        zones = self._zones.visible(request.caller, _query(request))
        part = [zone_json(z, self._zones.account_of(z)) for z in part_of(zones, page, per_page)]
        return Response(envelope.page(part, page, per_page, len(zones)))

    async def create_zone(self, request: Request) -> Response:
        """Add a zone. The response has the status pending, as published; from then on the zone is
        active, because no change at a registrar is needed."""
        body = object_of(request.body)
        account = body.get("account")
        account_id = account.get("id") if isinstance(account, dict) else None
        if not isinstance(account_id, str):
            raise AccountNotFound(str(account_id))
        self._access.every_zone_of(request.caller, WRITE_ZONE, account_id)
        type_ = _type(body.get("type", "full"))
        vanity = _name_servers(body.get("vanity_name_servers"))
        cause = request.cause()
        zone = await self._zones.create(body.get("name"), account_id, type_, vanity, cause)
        return self._answer(zone, "pending")

    def get_zone(self, request: Request) -> Response:
        """One zone."""
        return self._answer(self._directory.existing_zone(request.arguments["zone_id"]))

    async def change_zone(self, request: Request) -> Response:
        """Change one of `paused`, `type` and `vanity_name_servers`."""
        zone_id, cause = request.arguments["zone_id"], request.cause()
        match list(object_of(request.body).items()):
            case [("paused", bool(paused))]:
                zone = await self._zones.pause(zone_id, paused, cause)
            case [("type", str(type_))] if type_ in set(ZoneType):
                zone = await self._zones.retype(zone_id, ZoneType(type_), cause)
            case [("vanity_name_servers", names)]:
                zone = await self._zones.name_servers(zone_id, _name_servers(names), cause)
            case _:
                raise InvalidZoneChange
        return self._answer(zone)

    async def delete_zone(self, request: Request) -> Response:
        """Delete a zone with its mappings."""
        zone_id = request.arguments["zone_id"]
        await self._zones.delete(zone_id, request.cause())
        return Response(envelope.success({"id": zone_id}))

    def _answer(self, zone: Zone, status: str = "active") -> Response:
        return Response(envelope.success(zone_json(zone, self._zones.account_of(zone), status)))


def _type(value: Any) -> ZoneType:
    try:
        return ZoneType(value)
    except ValueError:
        raise InvalidZoneType from None


def _name_servers(value: object) -> tuple[str, ...] | None:
    """Validate hostnames; they are stored and returned as sent."""
    if value is None:
        return None
    if not isinstance(value, list) or len(value) > MAX_NAME_SERVERS:
        raise InvalidNameServers
    if not all(isinstance(name, str) and is_hostname(lookup_name(name)) for name in value):
        raise InvalidNameServers
    return tuple(value)


def _query(request: Request) -> ZoneQuery:
    """The published filters; invalid values and unknown arguments are ignored."""
    order = text_of(request, "order") or "name"
    types = text_of(request, "type")
    return ZoneQuery(
        name=text_of(request, "name"),
        status=text_of(request, "status"),
        types=tuple(types.split(",")) if types else None,
        account_id=text_of(request, "account.id"),
        account_name=text_of(request, "account.name"),
        order=order if order in ORDERS else "name",
        descending=text_of(request, "direction") == "desc",
        any_matches=text_of(request, "match") == "any",
    )

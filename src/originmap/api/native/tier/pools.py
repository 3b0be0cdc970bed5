"""Load-balancing pools of a zone: GET, PUT /originmap/v1/zones/{zone}/pools."""

import msgspec

from originmap.api import envelope
from originmap.api.http.request import Request
from originmap.api.http.response import Response
from originmap.api.native.arguments import arguments, read_large
from originmap.domain.zone.pool import Pool
from originmap.domain.zone.zone import Zone
from originmap.service.access.directory import Directory
from originmap.service.mapping.zones import Zones
from originmap.service.turns import Turns


class _PoolJSON(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    members: list[str]


class _PoolsJSON(msgspec.Struct, forbid_unknown_fields=True):
    pools: list[_PoolJSON]


_POOLS = msgspec.json.Decoder(_PoolsJSON)


class ZonePools:
    """GET, PUT /originmap/v1/zones/{zone}/pools; the zone by ID or name."""

    def __init__(self, directory: Directory, zones: Zones, turns: Turns) -> None:
        self._directory = directory
        self._zones = zones
        self._turns = turns

    async def list_pools(self, request: Request) -> Response:
        """All pools with their members, in canonical form."""
        arguments(request, ())
        return _answer(self._directory.existing_zone(request.zone_id))

    async def set_pools(self, request: Request) -> Response:
        """Replace all pools; an error lists everything wrong with them, and nothing changes."""
        sent = (await read_large(request, _POOLS, self._turns)).pools
        pools = [Pool(pool.name, tuple(pool.members)) for pool in sent]
        return _answer(await self._zones.set_pools(request.zone_id, pools, request.cause()))


def _answer(zone: Zone) -> Response:
    return Response(envelope.success({"pools": zone.pools}))

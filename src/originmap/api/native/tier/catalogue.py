"""The operator's own regions: GET, PUT, PATCH /originmap/v1/catalogue; and mappings to them:
PUT, DELETE …/zones/{zone}/mappings/batch."""

import msgspec

from originmap.api import envelope
from originmap.api.http.request import Request
from originmap.api.http.response import Answer, Response
from originmap.api.mapping.batch import BatchRoutes
from originmap.api.native.arguments import arguments, read_large
from originmap.domain.mapping.mapping import Place
from originmap.domain.mapping.own_regions import OwnRegion, OwnRegions
from originmap.service.mapping.catalogues import Catalogues
from originmap.service.turns import Turns


class _RegionJSON(msgspec.Struct, forbid_unknown_fields=True):
    vendor: str
    region: str
    latitude: float
    longitude: float
    city: str = ""
    country: str = ""


class _PlaceJSON(msgspec.Struct, forbid_unknown_fields=True):
    vendor: str
    region: str


class _SetJSON(msgspec.Struct, forbid_unknown_fields=True):
    regions: list[_RegionJSON]


class _ChangeJSON(msgspec.Struct, forbid_unknown_fields=True):
    add: list[_RegionJSON] = []
    remove: list[_PlaceJSON] = []


_SET = msgspec.json.Decoder(_SetJSON)
_CHANGE = msgspec.json.Decoder(_ChangeJSON)


class OwnCatalogue:
    """GET, PUT, PATCH /originmap/v1/catalogue"""

    def __init__(self, catalogues: Catalogues, turns: Turns) -> None:
        self._catalogues = catalogues
        self._turns = turns

    async def get_regions(self, request: Request) -> Response:
        """The own regions, for any credential."""
        arguments(request, ())
        return _answer(self._catalogues.own)

    async def set_regions(self, request: Request) -> Response:
        """Replace all own regions."""
        sent = await read_large(request, _SET, self._turns)
        regions = [_region(each) for each in sent.regions]
        return _answer(await self._catalogues.set(regions, self._turns, request.cause()))

    async def change_regions(self, request: Request) -> Response:
        """Remove some own regions, and add or replace others."""
        sent = await read_large(request, _CHANGE, self._turns)
        added = [_region(each) for each in sent.add]
        removed = [Place(each.vendor, each.region) for each in sent.remove]
        changed = await self._catalogues.change(added, removed, self._turns, request.cause())
        return _answer(changed)


class OwnBatchRoutes(BatchRoutes):
    """PUT, DELETE /originmap/v1/zones/{zone}/mappings/batch; the zone by ID or name."""

    def put_mappings(self, request: Request) -> Answer:
        """Create or replace up to 100 mappings."""
        arguments(request, ())
        return super().put_mappings(request)

    def delete_mappings(self, request: Request) -> Answer:
        """Delete up to 100 mappings."""
        arguments(request, ())
        return super().delete_mappings(request)


def _region(sent: _RegionJSON) -> OwnRegion:
    place = (sent.vendor, sent.region)
    return OwnRegion(*place, sent.city, sent.country, sent.latitude, sent.longitude)


def _answer(own: OwnRegions) -> Response:
    return Response(envelope.success(own))

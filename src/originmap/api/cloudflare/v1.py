"""The deprecated first generation: /zones/{zone_id}/cache/origin_cloud_regions.

One translation layer: requests say `ip`, answers say `origin-ip` inside a wrapper; rules and
store are those of the current routes. Every answer, refusals included, says that the route is
deprecated (RFC 9745, RFC 8594) and where its successor is (RFC 5829 §3.4).
"""

from typing import Any

from falcon.asgi import Request, Response

from originmap.api import envelope, errors
from originmap.api.auth import Guard
from originmap.api.body import decode_json, read_body
from originmap.api.cloudflare.mapping_json import batch_of, string_of
from originmap.api.cloudflare.mappings import address_of
from originmap.api.cloudflare.supported_regions import SupportedRegions
from originmap.api.errors import message_of
from originmap.api.request import info_of
from originmap.api.timestamps import timestamp
from originmap.domain import address as addresses
from originmap.domain.access import READ_MAPPINGS, WRITE_MAPPINGS
from originmap.domain.batch import Item, Outcome
from originmap.domain.errors import InvalidAddress
from originmap.domain.mapping import Mapping
from originmap.service.mappings import Mappings
from originmap.service.regions import Regions

_OLD, _NEW = "/cache/origin_cloud_regions", "/origin/cloud_regions"


def deprecation(req: Request) -> list[tuple[bytes, bytes]]:
    """What every answer of a deprecated route says."""
    successor = req.path.replace(_OLD, _NEW)
    return [
        (b"deprecation", b"@1790812800"),  # 2026-10-01, when it was to be gone
        (b"sunset", b"Thu, 01 Oct 2026 00:00:00 GMT"),
        (b"link", f'<{successor}>; rel="successor-version"'.encode()),
    ]


class _V1:
    """What the v1 resources share."""

    answer_headers = staticmethod(deprecation)

    def __init__(self, guard: Guard, mappings: Mappings) -> None:
        self._guard = guard
        self._mappings = mappings


class V1List(_V1):
    """GET, POST, PATCH …/origin_cloud_regions"""

    async def on_get(self, req: Request, resp: Response, zone_id: str) -> None:
        """All mappings, without pages."""
        self._guard.zone(req, READ_MAPPINGS, zone_id)
        resp.data = await self._whole(zone_id)

    async def on_post(self, req: Request, resp: Response, zone_id: str) -> None:
        """Create one; an address that has a mapping is refused."""
        self._guard.zone(req, WRITE_MAPPINGS, zone_id)
        item = _read(await read_body(req))
        address, cause = addresses.parse(item.origin_ip), info_of(req.scope).cause()
        made = await self._mappings.create(zone_id, address, item.vendor, item.region, cause)
        resp.data = _single(made)

    async def on_patch(self, req: Request, resp: Response, zone_id: str) -> None:
        """Create or replace one; the answer is the whole list."""
        self._guard.zone(req, WRITE_MAPPINGS, zone_id)
        item = _read(await read_body(req))
        address, cause = addresses.parse(item.origin_ip), info_of(req.scope).cause()
        await self._mappings.put(zone_id, address, item.vendor, item.region, cause)
        resp.data = await self._whole(zone_id)

    async def _whole(self, zone_id: str) -> bytes:
        found = await self._mappings.all(zone_id)
        newest = max((mapping.modified_on for mapping in found), default=None)
        return _wrapped([_entry(mapping) for mapping in found], newest)


class V1Item(_V1):
    """GET, DELETE …/origin_cloud_regions/{origin_ip}"""

    delete_refusals = errors.V1_DELETE

    async def on_get(self, req: Request, resp: Response, zone_id: str, origin_ip: str) -> None:
        """One mapping."""
        self._guard.zone(req, READ_MAPPINGS, zone_id)
        resp.data = _single(await self._mappings.get(zone_id, address_of(origin_ip)))

    async def on_delete(self, req: Request, resp: Response, zone_id: str, origin_ip: str) -> None:
        """Remove it; the answer is what it was."""
        self._guard.zone(req, WRITE_MAPPINGS, zone_id)
        address, cause = address_of(origin_ip), info_of(req.scope).cause()
        resp.data = _single(await self._mappings.delete(zone_id, address, cause))


class V1Batch(_V1):
    """PATCH, DELETE …/origin_cloud_regions/batch"""

    async def on_patch(self, req: Request, resp: Response, zone_id: str) -> None:
        """Create or replace up to 100."""
        self._guard.zone(req, WRITE_MAPPINGS, zone_id)
        items = [_item(value) for value in batch_of(await read_body(req))]
        cause = info_of(req.scope).cause()
        outcome = await self._mappings.put_many(zone_id, items, cause)
        resp.data = await self._answer(zone_id, outcome)

    async def on_delete(self, req: Request, resp: Response, zone_id: str) -> None:
        """Remove up to 100."""
        self._guard.zone(req, WRITE_MAPPINGS, zone_id)
        texts = [string_of(value) for value in batch_of(await read_body(req))]
        outcome = await self._mappings.delete_many(zone_id, texts, info_of(req.scope).cause())
        resp.data = await self._answer(zone_id, outcome)

    async def _answer(self, zone_id: str, outcome: Outcome) -> bytes:
        failed = [
            {"error": message_of(item.error, errors.V1_DELETE), "origin-ip": item.origin_ip}
            for item in outcome.failed
        ]
        succeeded = [
            {
                "origin-ip": addresses.text(address),
                "region": place.region,
                "vendor": place.vendor,
            }
            for address, place in outcome.succeeded.items()
        ]
        newest = None
        if succeeded:
            found = await self._mappings.all(zone_id)
            newest = max((mapping.modified_on for mapping in found), default=None)
        return _wrapped({"failed": failed, "succeeded": succeeded}, newest)


class V1SupportedRegions(SupportedRegions):
    """GET …/origin_cloud_regions/supported_regions, the same as now."""

    answer_headers = staticmethod(deprecation)

    def __init__(self, guard: Guard, regions: Regions) -> None:
        super().__init__(guard, regions)


def _read(body: bytes) -> Item:
    item = _item(decode_json(body))
    if item.origin_ip is None:
        raise InvalidAddress(None)
    return item


def _item(value: Any) -> Item:
    if not isinstance(value, dict):
        return Item(None)
    return Item(*(string_of(value.get(name)) for name in ("ip", "vendor", "region")))


def _entry(mapping: Mapping) -> dict[str, Any]:
    return {
        "modified_on": timestamp(mapping.modified_on),
        "origin-ip": addresses.text(mapping.address),
        "region": mapping.place.region,
        "vendor": mapping.place.vendor,
    }


def _single(mapping: Mapping) -> bytes:
    return _wrapped(_entry(mapping), mapping.modified_on)


def _wrapped(value: Any, modified_on: int | None) -> bytes:
    return envelope.success(
        {
            "editable": True,
            "id": "origin_public_cloud_region",
            "modified_on": None if modified_on is None else timestamp(modified_on),
            "value": value,
        }
    )

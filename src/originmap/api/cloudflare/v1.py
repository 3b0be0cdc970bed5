"""The deprecated first generation: /zones/{zone_id}/cache/origin_cloud_regions.

A translation layer over the services of the current routes: requests have `ip`, responses have
`origin-ip` inside a wrapper. Every response, including errors, has the headers of a deprecated
route (RFC 9745, RFC 8594) and a link to its successor (RFC 5829 §3.4).
"""

from originmap.api import envelope, errors
from originmap.api.body import decode_json
from originmap.api.cloudflare.mappings import address_of
from originmap.api.errors import message_of
from originmap.api.http.request import Request
from originmap.api.http.response import Headers, Response
from originmap.api.mapping.mapping_json import batch_of, string_of
from originmap.api.timestamps import timestamp
from originmap.domain.errors import InvalidAddress
from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.batch import Item, Outcome
from originmap.domain.mapping.mapping import Mapping
from originmap.service.mapping.mappings import Mappings

_OLD, _NEW = "/cache/origin_cloud_regions", "/origin/cloud_regions"


def deprecation(request: Request) -> Headers:
    """The headers of every response of a deprecated route."""
    successor = request.path.replace(_OLD, _NEW)
    return (
        ("deprecation", "@1790812800"),  # 2026-10-01, the announced end of v1
        ("sunset", "Thu, 01 Oct 2026 00:00:00 GMT"),
        ("link", f'<{successor}>; rel="successor-version"'),
    )


class V1Routes:
    """GET, POST, PATCH …/origin_cloud_regions, GET, DELETE …/{origin_ip}, PATCH, DELETE …/batch"""

    def __init__(self, mappings: Mappings) -> None:
        self._mappings = mappings

    async def list_mappings(self, request: Request) -> Response:
        """All mappings, without pagination."""
        return await self._whole(request.zone_id)

    async def create_mapping(self, request: Request) -> Response:
        """Create a mapping; an error if the address has one."""
        item = _read(request.body)
        address, place = addresses.parse(item.origin_ip), (item.vendor, item.region)
        created = await self._mappings.create(request.zone_id, address, *place, request.cause())
        return _single(created)

    async def put_mapping(self, request: Request) -> Response:
        """Create or replace a mapping; the response is the whole list."""
        item = _read(request.body)
        address, place = addresses.parse(item.origin_ip), (item.vendor, item.region)
        await self._mappings.put(request.zone_id, address, *place, request.cause())
        return await self._whole(request.zone_id)

    async def get_mapping(self, request: Request) -> Response:
        """One mapping."""
        return _single(await self._mappings.get(request.zone_id, address_of(request)))

    async def delete_mapping(self, request: Request) -> Response:
        """Delete a mapping; the response is the deleted mapping."""
        address, cause = address_of(request), request.cause()
        return _single(await self._mappings.delete(request.zone_id, address, cause))

    async def put_mappings(self, request: Request) -> Response:
        """Create or replace up to 100 mappings."""
        items = [_item(value) for value in batch_of(request.body)]
        outcome = await self._mappings.put_many(request.zone_id, items, request.cause())
        return await self._batch(request.zone_id, outcome)

    async def delete_mappings(self, request: Request) -> Response:
        """Delete up to 100 mappings."""
        texts = [string_of(value) for value in batch_of(request.body)]
        outcome = await self._mappings.delete_many(request.zone_id, texts, request.cause())
        return await self._batch(request.zone_id, outcome)

    async def _whole(self, zone_id: str) -> Response:
        mappings = await self._mappings.all(zone_id)
        newest = max((mapping.modified_on for mapping in mappings), default=None)
        return _wrapped([_entry(mapping) for mapping in mappings], newest)

    async def _batch(self, zone_id: str, outcome: Outcome) -> Response:
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
            mappings = await self._mappings.all(zone_id)
            newest = max((mapping.modified_on for mapping in mappings), default=None)
        return _wrapped({"failed": failed, "succeeded": succeeded}, newest)


def _read(body: bytes) -> Item:
    item = _item(decode_json(body))
    if item.origin_ip is None:
        raise InvalidAddress(None)
    return item


def _item(value: object) -> Item:
    if not isinstance(value, dict):
        return Item(None)
    return Item(*(string_of(value.get(name)) for name in ("ip", "vendor", "region")))


def _entry(mapping: Mapping) -> dict[str, object]:
    return {
        "modified_on": timestamp(mapping.modified_on),
        "origin-ip": addresses.text(mapping.address),
        "region": mapping.place.region,
        "vendor": mapping.place.vendor,
    }


def _single(mapping: Mapping) -> Response:
    return _wrapped(_entry(mapping), mapping.modified_on)


def _wrapped(value: object, modified_on: int | None) -> Response:
    body = envelope.success(
        {
            "editable": True,
            "id": "origin_public_cloud_region",
            "modified_on": None if modified_on is None else timestamp(modified_on),
            "value": value,
        }
    )
    return Response(body)

"""One mapping, and the list of a zone's: /zones/{zone_id}/origin/cloud_regions[/{origin_ip}].

Published operations origin-cloud-regions-v2-list, -get, -upsert and -delete.
"""

from urllib.parse import unquote

from falcon.asgi import Request, Response

from originmap.api import envelope
from originmap.api.auth import Guard
from originmap.api.body import read_body
from originmap.api.cloudflare.mapping_json import entry, read_request
from originmap.api.cloudflare.notes import notes_on
from originmap.api.preconditions import etag, if_match
from originmap.api.query import page_of
from originmap.api.request import info_of
from originmap.domain import address as addresses
from originmap.domain.access import READ_MAPPINGS, WRITE_MAPPINGS
from originmap.domain.address import Address
from originmap.domain.errors import AddressMismatch
from originmap.service.detector import Detector
from originmap.service.mappings import Mappings

MAX_PER_PAGE = 100


class MappingList:
    """GET …/cloud_regions"""

    def __init__(self, guard: Guard, mappings: Mappings) -> None:
        self._guard = guard
        self._mappings = mappings

    async def on_get(self, req: Request, resp: Response, zone_id: str) -> None:
        """A page of the zone's mappings, in the order of their addresses."""
        self._guard.zone(req, READ_MAPPINGS, zone_id)
        page, per_page = page_of(req, MAX_PER_PAGE)
        found = await self._mappings.page(zone_id, page, per_page)
        entries = [entry(mapping) for mapping in found.mappings]
        resp.data = envelope.page(entries, page, per_page, found.total)


class MappingItem:
    """GET, PUT, DELETE …/cloud_regions/{origin_ip}"""

    def __init__(self, guard: Guard, mappings: Mappings, detector: Detector) -> None:
        self._guard = guard
        self._mappings = mappings
        self._detector = detector

    async def on_get(self, req: Request, resp: Response, zone_id: str, origin_ip: str) -> None:
        """The mapping of one address."""
        self._guard.zone(req, READ_MAPPINGS, zone_id)
        mapping = await self._mappings.get(zone_id, address_of(origin_ip))
        resp.set_header("ETag", etag(mapping))
        resp.data = envelope.success(entry(mapping))

    async def on_put(self, req: Request, resp: Response, zone_id: str, origin_ip: str) -> None:
        """Create or replace it. Path and body are compared in canonical form."""
        self._guard.zone(req, WRITE_MAPPINGS, zone_id)
        address = address_of(origin_ip)
        item = read_request(await read_body(req))
        if addresses.parse(item.origin_ip) != address:
            raise AddressMismatch
        place, cause = (item.vendor, item.region), info_of(req.scope).cause()
        mapping = await self._mappings.put(zone_id, address, *place, cause, if_match(req))
        notes = notes_on(self._detector, [(mapping.address, mapping.place)])
        resp.set_header("ETag", etag(mapping))
        resp.data = envelope.success(entry(mapping), notes)

    async def on_delete(self, req: Request, resp: Response, zone_id: str, origin_ip: str) -> None:
        """Remove it; the answer names the address only."""
        self._guard.zone(req, WRITE_MAPPINGS, zone_id)
        address = address_of(origin_ip)
        cause = info_of(req.scope).cause()
        await self._mappings.delete(zone_id, address, cause, if_match(req))
        resp.data = envelope.success({"origin_ip": addresses.text(address)})


def address_of(segment: str) -> Address:
    """The address in a path segment, which clients may percent-encode (`:` as %3A)."""
    return addresses.parse(unquote(segment) if "%" in segment else segment)

"""The mappings of a zone: /zones/{zone_id}/origin/cloud_regions[/{origin_ip}].

Published operations origin-cloud-regions-v2-list, -get, -upsert and -delete.
"""

from collections.abc import Sequence
from urllib.parse import unquote

import msgspec

from originmap.api import envelope
from originmap.api.http.request import Request
from originmap.api.http.response import Answer, Deferred, Response
from originmap.api.mapping.mapping_json import entries, entry, read_request, written_entry
from originmap.api.mapping.notes import notes_on
from originmap.api.preconditions import etag, if_match
from originmap.api.query import page_of
from originmap.domain.errors import AddressMismatch
from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Mapping
from originmap.service.detection.detector import Detector
from originmap.service.mapping.mappings import Mappings

MAX_PER_PAGE = 100


class MappingRoutes:
    """GET …/cloud_regions and GET, PUT, DELETE …/cloud_regions/{origin_ip}"""

    def __init__(self, mappings: Mappings, detector: Detector) -> None:
        self._mappings = mappings
        self._detector = detector

    def list_mappings(self, request: Request) -> Answer:
        """A page of the zone's mappings, in the order of their addresses."""
        page, per_page = page_of(request, MAX_PER_PAGE)
        listed = self._mappings.page_now(request.zone_id, page, per_page)
        if listed is None:
            return self._list_later(request.zone_id, page, per_page)
        return _page(listed.mappings, listed.total, page, per_page)

    def get_mapping(self, request: Request) -> Answer:
        """The mapping of one address."""
        address = address_of(request)
        mapping = self._mappings.get_now(request.zone_id, address)
        if mapping is None:
            return self._get_later(request.zone_id, address)
        return _single(mapping, entry(mapping))

    def put_mapping(self, request: Request) -> Answer:
        """Create or replace a mapping. The addresses in path and body are compared in canonical
        form."""
        address = address_of(request)
        item = read_request(request.body)
        if addresses.parse(item.origin_ip) != address:
            raise AddressMismatch
        place, cause = (item.vendor, item.region), request.cause()
        putting = self._mappings.put(request.zone_id, address, *place, cause, if_match(request))

        def stored() -> Response:
            mapping = putting.result()
            notes = notes_on(self._detector, [(mapping.address, mapping.place)])
            return _single(mapping, written_entry(mapping), notes)

        return Deferred(putting.ready, stored)

    def delete_mapping(self, request: Request) -> Answer:
        """Delete a mapping; the response has only the address."""
        address = address_of(request)
        cause = request.cause()
        deleting = self._mappings.delete(request.zone_id, address, cause, if_match(request))

        def deleted() -> Response:
            deleting.result()
            return Response(envelope.success({"origin_ip": addresses.text(address)}))

        return Deferred(deleting.ready, deleted)

    async def _list_later(self, zone_id: str, page: int, per_page: int) -> Response:
        listed = await self._mappings.page(zone_id, page, per_page)
        return _page(listed.mappings, listed.total, page, per_page)

    async def _get_later(self, zone_id: str, address: Address) -> Response:
        mapping = await self._mappings.get(zone_id, address)
        return _single(mapping, entry(mapping))


def address_of(request: Request) -> Address:
    """The address in the path, which clients may percent-encode (`:` as %3A)."""
    segment = request.arguments["origin_ip"]
    return addresses.parse(unquote(segment) if "%" in segment else segment)


def _single(
    mapping: Mapping, encoded: bytes, notes: list[envelope.Message] | None = None
) -> Response:
    body = envelope.success_json(encoded, notes)
    return Response(body, headers=(("etag", etag(mapping)),))


def _page(mappings: Sequence[Mapping], total: int, page: int, per_page: int) -> Response:
    body = envelope.page(msgspec.Raw(entries(mappings)), page, per_page, total, len(mappings))
    return Response(body)

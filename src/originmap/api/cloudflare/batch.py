"""Many mappings at once: /zones/{zone_id}/origin/cloud_regions/batch.

Published operations origin-cloud-regions-v2-batch-upsert and -batch-delete. Answered 200 even
when every item failed; a batch that cannot be taken at all is an error.
"""

import msgspec
from falcon.asgi import Request, Response

from originmap.api import envelope
from originmap.api.auth import Guard
from originmap.api.body import read_body
from originmap.api.cloudflare.mapping_json import read_addresses, read_requests
from originmap.api.cloudflare.notes import notes_on
from originmap.api.errors import message_of
from originmap.api.request import info_of
from originmap.domain import address as addresses
from originmap.domain.access import WRITE_MAPPINGS
from originmap.domain.batch import Outcome
from originmap.service.detector import Detector
from originmap.service.mappings import Mappings


class _Succeeded(msgspec.Struct):
    origin_ip: str
    region: str
    vendor: str


class _Failed(msgspec.Struct):
    error: str
    origin_ip: str


class _Result(msgspec.Struct):
    failed: list[_Failed]
    succeeded: list[_Succeeded]


class MappingBatch:
    """PUT, DELETE …/cloud_regions/batch"""

    def __init__(self, guard: Guard, mappings: Mappings, detector: Detector) -> None:
        self._guard = guard
        self._mappings = mappings
        self._detector = detector

    async def on_put(self, req: Request, resp: Response, zone_id: str) -> None:
        """Create or replace up to 100 mappings; others of the zone stay."""
        self._guard.zone(req, WRITE_MAPPINGS, zone_id)
        items = read_requests(await read_body(req))
        outcome = await self._mappings.put_many(zone_id, items, info_of(req.scope).cause())
        notes = notes_on(self._detector, outcome.succeeded.items())
        resp.data = envelope.success(_result(outcome), notes)

    async def on_delete(self, req: Request, resp: Response, zone_id: str) -> None:
        """Remove up to 100 mappings. Without a body nothing is removed: clients forget it."""
        self._guard.zone(req, WRITE_MAPPINGS, zone_id)
        texts = read_addresses(await read_body(req))
        outcome = await self._mappings.delete_many(zone_id, texts, info_of(req.scope).cause())
        resp.data = envelope.success(_result(outcome))


def _result(outcome: Outcome) -> _Result:
    failed = [_Failed(message_of(item.error), item.origin_ip) for item in outcome.failed]
    succeeded = [
        _Succeeded(addresses.text(address), region, vendor)
        for address, (vendor, region) in outcome.succeeded.items()
    ]
    return _Result(failed, succeeded)

"""Many mappings at once: /zones/{zone_id}/origin/cloud_regions/batch, and our own route.

Published operations origin-cloud-regions-v2-batch-upsert and -batch-delete. The status is 200 even
if every item failed; only an invalid batch is an error.
"""

import msgspec

from originmap.api import envelope
from originmap.api.errors import message_of
from originmap.api.http.request import Request
from originmap.api.http.response import Answer, Deferred, Response
from originmap.api.mapping.mapping_json import read_addresses, read_requests
from originmap.api.mapping.notes import notes_on
from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.batch import Outcome
from originmap.service.detection.detector import Detector
from originmap.service.mapping.mappings import Mappings


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


class BatchRoutes:
    """PUT, DELETE …/cloud_regions/batch"""

    def __init__(self, mappings: Mappings, detector: Detector) -> None:
        self._mappings = mappings
        self._detector = detector

    def put_mappings(self, request: Request) -> Answer:
        """Create or replace up to 100 mappings; other mappings of the zone are unchanged."""
        items = read_requests(request.body)
        writing = self._mappings.put_many(request.zone_id, items, request.cause())

        def written() -> Response:
            outcome = writing.result()
            notes = notes_on(self._detector, outcome.succeeded.items())
            return Response(envelope.success(_result(outcome), notes))

        return Deferred(writing.ready, written)

    def delete_mappings(self, request: Request) -> Answer:
        """Delete up to 100 mappings. Without a body nothing is deleted: clients forget the body."""
        texts = read_addresses(request.body)
        writing = self._mappings.delete_many(request.zone_id, texts, request.cause())
        return Deferred(
            writing.ready, lambda: Response(envelope.success(_result(writing.result())))
        )


def _result(outcome: Outcome) -> _Result:
    failed = [_Failed(message_of(item.error), item.origin_ip) for item in outcome.failed]
    succeeded = [
        _Succeeded(addresses.text(address), region, vendor)
        for address, (vendor, region) in outcome.succeeded.items()
    ]
    return _Result(failed, succeeded)

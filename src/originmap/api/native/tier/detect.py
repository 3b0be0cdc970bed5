"""Detects the regions of addresses by the published ranges: POST /originmap/v1/detect."""

import msgspec

from originmap.api import envelope
from originmap.api.guard import Guard
from originmap.api.http.request import Request
from originmap.api.http.response import Response
from originmap.api.native.arguments import read_as
from originmap.api.timestamps import timestamp
from originmap.domain.detection.detection import Detection, Evidence
from originmap.domain.errors import InvalidQuery
from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.mapping import Place
from originmap.service.detection.detector import Detector
from originmap.service.turns import Turns

MAX_ADDRESSES = 1000


class _Claim(msgspec.Struct, forbid_unknown_fields=True):
    """An address with a claimed region."""

    ip: str
    vendor: str
    region: str


class _Question(msgspec.Struct, forbid_unknown_fields=True):
    addresses: list[str | _Claim]


_QUESTION = msgspec.json.Decoder(_Question)


class Detect:
    """POST /originmap/v1/detect, for any credential: it reveals nothing of any zone."""

    def __init__(self, guard: Guard, detector: Detector, turns: Turns) -> None:
        self._guard = guard
        self._turns = turns
        self._detector = detector

    async def detect(self, request: Request) -> Response:
        """A verdict and its evidence for each address, in the order sent."""
        questions = read_as(request, _QUESTION).addresses
        if not 1 <= len(questions) <= MAX_ADDRESSES:
            raise InvalidQuery(f"addresses must be an array of 1 to {MAX_ADDRESSES} items")
        self._guard.charge(request, len(questions))
        found = list[dict[str, object]]()
        async for piece in self._turns.pieces(questions):
            found += [_detection_json(self._detect(question)) for question in piece]
        return Response(envelope.success({"detections": found}))

    def _detect(self, question: str | _Claim) -> Detection:
        if isinstance(question, str):
            return self._detector.detect(addresses.parse(question))
        claim = Place(question.vendor, question.region)
        return self._detector.detect(addresses.parse(question.ip), claim)


def _detection_json(detection: Detection) -> dict[str, object]:
    claim, evidence = detection.claim, detection.evidence
    return {
        "ip": addresses.text(detection.address),
        "verdict": detection.verdict,
        "verifiable": detection.verifiable,
        "claim": None if claim is None else claim._asdict(),
        "evidence": None if evidence is None else _evidence_json(evidence),
    }


def _evidence_json(evidence: Evidence) -> dict[str, object]:
    published = round(evidence.published.timestamp()) * 1_000_000
    return {
        "prefix": evidence.prefix,
        "vendor": evidence.vendor,
        "region": evidence.region,
        "services": evidence.services,
        "border_group": evidence.border_group,
        "published": timestamp(published),
        "in_catalogue": evidence.in_catalogue,
    }

"""Warnings about written mappings that contradict the vendors' published ranges.

The mapping is written, because a customer may have brought the address (BYOIP) or the ranges may be
outdated. The warning is in the envelope's `messages`, with a code of our own.
"""

from collections.abc import Iterable

from originmap.api.envelope import Message
from originmap.domain.detection.detection import Verdict
from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Place
from originmap.service.detection.detector import Detector

CONTRADICTED = 11570


def notes_on(detector: Detector, mappings: Iterable[tuple[Address, Place]]) -> list[Message]:
    """A warning for each mapping that contradicts the ranges."""
    if not detector.table.vendors:
        return []
    warnings = []
    for address, place in mappings:
        detection = detector.detect(address, place)
        evidence = detection.evidence
        if detection.verdict is Verdict.MISMATCH and evidence is not None:
            region = f"{evidence.vendor} {evidence.region or ''}".rstrip()
            text = f"published ranges place {addresses.text(address)} in {region}"
            warnings.append(Message(CONTRADICTED, text))
    return warnings

"""Notes on what was written: a mapping that the vendors' published ranges contradict.

It is written all the same, since a customer may have brought the address along or the lists may
be old; the note says what they say, in the envelope's `messages`, with a code of ours.
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
    """A note for each mapping that the ranges contradict."""
    if not detector.table.vendors:
        return []
    found = []
    for address, place in mappings:
        detection = detector.detect(address, place)
        evidence = detection.evidence
        if detection.verdict is Verdict.MISMATCH and evidence is not None:
            where = f"{evidence.vendor} {evidence.region or ''}".rstrip()
            text = f"published ranges place {addresses.text(address)} in {where}"
            found.append(Message(CONTRADICTED, text))
    return found

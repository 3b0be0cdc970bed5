"""Strict checks: requests that the API accepts although they are probably mistakes.

Unknown query arguments, ignored members of bodies and deprecated routes; addresses that are not in
canonical form, which Terraform's provider keeps in its state and then replaces at every plan; and
regions that contradict the vendors' published ranges.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from originmap.api.http.request import Request
from originmap.api.mapping.notes import notes_on
from originmap.dev.body_items import items_of
from originmap.dev.ignored import ignored_in
from originmap.dev.operations import Operation
from originmap.domain.errors import InvalidAddress
from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.mapping import Place
from originmap.service.detection.detector import Detector

CODE = 10470
"""The code of the refusal; ours."""


class Strictness:
    """Checks requests, if it is on, and counts problems by their kind."""

    def __init__(self, detector: Detector, *, on: bool) -> None:
        self._detector = detector
        self.on = on
        self.counts: Counter[str] = Counter()

    def problems(self, operation: Operation, request: Request) -> list[str]:
        """The problems of a request, each as a sentence."""
        found = [*self._problems(operation, request)]
        self.counts.update(kind for kind, _ in found)
        return [text for _, text in found]

    def _problems(self, operation: Operation, request: Request) -> Iterator[tuple[str, str]]:
        if operation.deprecated:
            yield "deprecated", f"{operation.name} is deprecated: use the routes of v2"
        ignored = ignored_in(operation, request.query, request.body)
        for name in ignored.arguments:
            known = ", ".join(sorted(operation.arguments)) or "none"
            yield "argument", f"query argument {name} is ignored (known: {known})"
        for name in ignored.fields:
            known = ", ".join(sorted(operation.fields or ())) or "none"
            yield "field", f"member {name} of the body is ignored (known: {known})"
        for text in dict.fromkeys(_addresses(operation, request)):
            canonical = _canonical(text)
            if canonical is not None and canonical != text:
                yield (
                    "spelling",
                    f"address {text} is not in canonical form: write {canonical}, or Terraform "
                    "will replace the mapping at every plan",
                )
        for note in notes_on(self._detector, _regions(operation, request)):
            yield "range", note.message


def _addresses(operation: Operation, request: Request) -> Iterator[str]:
    if "origin_ip" in request.arguments:
        yield unquote(request.arguments["origin_ip"])
    for item in _items(operation, request):
        ip = item.get("origin_ip", item.get("ip")) if isinstance(item, dict) else item
        if isinstance(ip, str):
            yield ip


def _regions(operation: Operation, request: Request) -> list[tuple[addresses.Address, Place]]:
    found = []
    for item in _items(operation, request):
        if not isinstance(item, dict):
            continue
        texts = [item.get(name) for name in ("vendor", "region")]
        try:
            address = addresses.parse(item.get("origin_ip", item.get("ip")))
        except InvalidAddress:
            continue
        if all(isinstance(text, str) for text in texts):
            found.append((address, Place(*map(str, texts))))
    return found


def _items(operation: Operation, request: Request) -> list[Any]:
    """The mappings or addresses in the body of an operation on mappings."""
    return items_of(request.body) if "mapping" in operation.name else []


def _canonical(text: str) -> str | None:
    try:
        return addresses.text(addresses.parse(text))
    except InvalidAddress:
        return None

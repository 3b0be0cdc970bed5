"""What a response rests on: published facts, observations, our decisions, or open questions.

The IDs are those of docs/conformance.md. A response is as sure as its weakest fact: a decision that
answers an open question makes it "unknown", because the real API may behave differently. What every
response has in common, such as the envelope, the request ID and the precision of times, does not
count.
"""

import functools
import ipaddress
from urllib.parse import unquote

import msgspec

from originmap.api.http.request import Request
from originmap.api.http.response import Response
from originmap.api.timestamps import parse_timestamp
from originmap.conformance.fact import OBSERVED, STRENGTHS
from originmap.conformance.facts import Facts
from originmap.dev.basis_table import ERRORS, SUCCESS
from originmap.dev.clock import ControlledClock
from originmap.dev.operations import Operation
from originmap.domain.mapping import address as addresses

PUBLISHED, SEEN, DECIDED, OPEN = STRENGTHS
NOT_SERVED = "not-served"
READ = "get_mapping"
_MOST_READS = 8192

_DOCUMENTATION = tuple(
    ipaddress.ip_network(text)
    for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
)
"""RFC 5737 and RFC 3849."""


BASIS_HEADER, FACTS_HEADER = "x-originmap-basis", "x-originmap-facts"


class FactBasis:
    """How sure a response is, and the IDs of the facts that it rests on. There is one object for
    each basis, because every response has one."""

    __slots__ = ("facts", "headers", "strength")

    def __init__(self, strength: str, facts: tuple[str, ...]) -> None:
        self.strength = strength
        self.facts = facts
        self.headers = ((BASIS_HEADER, strength), (FACTS_HEADER, ", ".join(facts)))


_NOT_SERVED = FactBasis(NOT_SERVED, ("P-ROUTE-1",))


class _Answer(msgspec.Struct):
    """The members of a response that decide what it rests on."""

    errors: list[dict[str, object]] = []
    result: object = None
    result_info: dict[str, int] | None = None


class BasisFinder:
    """Finds the basis of responses. `of_reads` has that of a successful READ of an address, by its
    form in the path, because most requests are such; `of` adds to it."""

    def __init__(self, facts: Facts) -> None:
        self._strength = {
            row.id: SEEN if row.source in OBSERVED else PUBLISHED for row in facts.published
        }
        self._strength |= {row.id: DECIDED for row in facts.decisions}
        self._strength |= {row.id: OPEN for row in facts.unknown}
        self._questions = {ours: row.id for row in facts.unknown for ours in row.ours}
        self.of_reads: dict[str, FactBasis] = {}
        self._known: dict[tuple[str, ...], FactBasis] = {}

    def of(
        self, operation: Operation, request: Request, response: Response, clock: ControlledClock
    ) -> FactBasis:
        """The basis of a response; `clock` has the time of the request."""
        if response.status >= 400:
            return self._of_facts(_error(operation, request, response))
        found = self._of_facts(_success(operation, request, response, clock))
        if operation.name == READ:
            if len(self.of_reads) >= _MOST_READS:
                self.of_reads.clear()
            self.of_reads[request.arguments["origin_ip"]] = found
        return found

    def of_no_operation(self, response: Response) -> FactBasis:
        """The basis of a response below /client/v4 that no operation gave."""
        if response.status == 405:
            return self._of_facts(("P-ROUTE-2", "D-26"))
        return _NOT_SERVED

    def _of_facts(self, ids: tuple[str, ...]) -> FactBasis:
        found = self._known.get(ids)
        if found is None:
            questions = (self._questions.get(id_) for id_ in ids)
            named = tuple(dict.fromkeys((*ids, *(id_ for id_ in questions if id_))))
            strengths = [STRENGTHS.index(self._strength[id_]) for id_ in named]
            strength = STRENGTHS[max(strengths)] if strengths else OPEN
            found = self._known[ids] = FactBasis(strength, named)
        return found


def _success(
    operation: Operation, request: Request, response: Response, clock: ControlledClock
) -> tuple[str, ...]:
    facts = SUCCESS.get(operation.name, ())
    if operation.name == "put_mapping":
        return (
            facts
            + _of_address(request.arguments["origin_ip"])
            + _of_repetition(response, clock.at(request.started))
        )
    if operation.name in (READ, "delete_mapping"):
        return facts + _of_address(request.arguments["origin_ip"])
    if operation.name == "list_mappings":
        return facts + _of_page(response)
    if operation.name in ("put_mappings", "delete_mappings"):
        return facts + _of_batch(operation, response)
    return facts


@functools.lru_cache(maxsize=8192)
def _of_address(segment: str) -> tuple[str, ...]:
    """What the address in a path adds: an odd form, or a range that no public origin is in."""
    text = unquote(segment)
    canonical = addresses.text(addresses.parse(text))
    facts = ("D-12",) if ":" in text and ":" not in canonical else ()
    address = ipaddress.ip_address(canonical)
    if any(address in network for network in _DOCUMENTATION):
        return (*facts, "P-GEN-10")
    return (*facts, "D-14") if address.is_private else facts


def _of_repetition(response: Response, now: int) -> tuple[str, ...]:
    """What an unchanged mapping adds: it was modified before the request arrived."""
    modified_on = _answer(response).result
    assert isinstance(modified_on, dict)
    if parse_timestamp(modified_on["modified_on"]) < now:
        return ("P-PUT-2", "D-9")
    return ()


def _of_page(response: Response) -> tuple[str, ...]:
    """What a page adds: the order decides which mappings are on it."""
    info = _answer(response).result_info
    assert info is not None
    if info["page"] > max(info["total_pages"], 1):
        return ("P-LIST-5", "D-31")
    if info["total_count"] == 0:
        return ("P-LIST-3",)
    return ("D-15",) if info["total_pages"] > 1 else ()


def _of_batch(operation: Operation, response: Response) -> tuple[str, ...]:
    result = _answer(response).result
    assert isinstance(result, dict)
    if not result["failed"]:
        return ()
    twice = any("duplicate" in item["error"] for item in result["failed"])
    missing = ("P-BDEL-3",) if operation.name == "delete_mappings" else ()
    return (*missing, "D-6", "D-7") if twice else (*missing, "D-6")


def _error(operation: Operation, request: Request, response: Response) -> tuple[str, ...]:
    name = error_name(operation, request, response)
    return ERRORS.get(f"{operation.name}:{name}", ERRORS.get(name, ()))


def error_name(operation: Operation, request: Request, response: Response) -> str:
    """The name of an error in the OpenAPI document; "" if it is not documented."""
    errors = _answer(response).errors
    if not errors:
        return ""
    code, message = errors[0].get("code"), errors[0].get("message")
    if code == 7003:
        return "no_such_zone_here"
    found = [e for e in operation.errors if (e.status, e.code) == (response.status, code)]
    same = (e.name for e in found if e.message == message)
    return next(same, found[0].name if found else "")


def _answer(response: Response) -> _Answer:
    try:
        return msgspec.json.decode(response.body, type=_Answer)
    except msgspec.DecodeError:
        return _Answer()

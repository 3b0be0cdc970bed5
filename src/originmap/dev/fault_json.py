"""Faults as JSON.

{"operation": "put_mapping", "kind": "fail", "status": 503, "times": 2}
{"operation": "get_mapping", "kind": "delay", "seconds": 1.5}
{"operation": "*", "kind": "cut", "when": "during", "times": null}
{"operation": "put_mappings", "kind": "partial", "items": ["192.0.2.1", 3], "code": 1157}
"""

from typing import Any

from originmap.dev.faults import KINDS, LONGEST_DELAY, Fault
from originmap.dev.members import read_members
from originmap.domain.errors import InvalidQuery
from originmap.domain.mapping.batch import MAX_ITEMS

_MOST_TIMES = 1_000_000
_OF_ERROR = {"status", "code", "error", "retry_after"}
_MEMBERS = {
    "fail": _OF_ERROR,
    "delay": {"seconds"},
    "cut": {"when"},
    "partial": {"items", *_OF_ERROR},
}


def read_fault(body: bytes) -> Fault:
    """The fault in a body. Raises MalformedJSON, InvalidQuery."""
    members = read_members(body, {"operation", "kind", "times", *set().union(*_MEMBERS.values())})
    kind = members.text("kind")
    if kind not in KINDS:
        raise InvalidQuery(f"kind must be one of {', '.join(KINDS)}")
    unused = members.names - {"operation", "kind", "times"} - _MEMBERS[kind]
    if unused:
        raise InvalidQuery(f"a fault of kind {kind} has no {sorted(unused)[0]}")
    if "operation" not in members.names:
        raise InvalidQuery("operation is missing: the name of an operation, or * for every one")
    always = b'"times"' in body and "times" not in members.names  # null
    return Fault(
        0,
        members.text("operation"),
        kind,
        None if always else members.whole("times", 1, _MOST_TIMES) or 1,
        members.whole("status", 400, 599),
        members.whole("code", 1, 1_000_000),
        members.text("error"),
        members.number("seconds", 0, LONGEST_DELAY),
        members.whole("retry_after", 0, 86_400),
        members.text("when"),
        members.items("items", MAX_ITEMS),
    )


def fault_json(fault: Fault) -> dict[str, Any]:
    """A fault as JSON, without the members that it does not use."""
    members = fault._asdict()
    used = {"id", "operation", "kind", "times", *_MEMBERS[fault.kind]}
    return {
        name: value
        for name, value in members.items()
        if name in used and (name == "times" or value not in (None, "", ()))
    }

"""Faults: errors, delays and lost connections that tests ask for.

A fault concerns an operation, or every one of Cloudflare's API ("*"), a number of times or until it
is removed. Of several faults for a request the oldest one is used, and used up, first. Credentials
are checked before.
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

from originmap.dev.operations import DocumentedError, Operation, Operations
from originmap.domain.errors import InvalidQuery

FAIL, DELAY, CUT, PARTIAL = "fail", "delay", "cut", "partial"
KINDS = (FAIL, DELAY, CUT, PARTIAL)
MOMENTS = ("before", "during", "after")
BATCHES = {"put_mappings": "put_mapping", "delete_mappings": "delete_mapping"}
"""The operations on batches, each with the one on an item, which has the texts of its errors."""
LONGEST_DELAY = 300.0
MOST_FAULTS = 1000
GATEWAY_STATUSES = (502, 504, 520, 521, 522, 523, 524)
"""Statuses of the network in front of the API; their body is not JSON."""

ALL = "*"


class Fault(NamedTuple):
    """A fault. `times` is how often it still happens, None for always."""

    id: int
    operation: str
    kind: str
    times: int | None = 1
    status: int | None = None
    code: int | None = None
    error: str = ""  # the name of an error in the OpenAPI document
    seconds: float = 0.0  # of a delay
    retry_after: int | None = None  # seconds
    when: str = ""  # one of MOMENTS
    items: tuple[str | int, ...] = ()  # of a batch, by address or by index
    message: str = ""  # of these items

    @property
    def answered(self) -> bool:
        """Whether the request has its ordinary response, although late or cut."""
        return self.kind == DELAY or (self.kind == CUT and self.when != "before")


class Injected(NamedTuple):
    """The error response of a fault."""

    status: int
    body: bytes
    content_type: str
    headers: tuple[tuple[str, str], ...]


class Faults:
    """The faults that are waiting for requests."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations
        self._waiting: list[Fault] = []
        self._ids = itertools.count(1)

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def waiting(self) -> Sequence[Fault]:
        """The faults that are waiting, oldest first."""
        return tuple(self._waiting)

    def add(self, fault: Fault) -> Fault:
        """Add a fault; returns it with its ID. Raises InvalidQuery."""
        if fault.operation != ALL:
            fault = fault._replace(operation=self._operations.named(fault.operation).name)
        self._check(fault)
        if fault.kind == PARTIAL:
            fault = fault._replace(message=self._message(fault))
        if len(self._waiting) >= MOST_FAULTS:
            raise InvalidQuery(f"there are {MOST_FAULTS} faults already: remove them first")
        fault = fault._replace(id=next(self._ids))
        self._waiting.append(fault)
        return fault

    def clear(self) -> None:
        """Remove all faults."""
        self._waiting.clear()

    def take(self, operation: Operation) -> Fault | None:
        """Use up one time of the fault for a request; None if there is none."""
        for index, fault in enumerate(self._waiting):
            if fault.operation not in (ALL, operation.name):
                continue
            if fault.times == 1:
                del self._waiting[index]
            elif fault.times is not None:
                self._waiting[index] = fault._replace(times=fault.times - 1)
            return fault
        return None

    def _check(self, fault: Fault) -> None:
        if fault.times is not None and fault.times < 1:
            raise InvalidQuery("times must be 1 or more, or null for every request")
        if fault.kind == DELAY and not 0 < fault.seconds <= LONGEST_DELAY:
            raise InvalidQuery(f"seconds must be more than 0 and at most {LONGEST_DELAY:g}")
        if fault.kind == CUT and fault.when not in MOMENTS:
            raise InvalidQuery(f"when must be one of {', '.join(MOMENTS)}")
        if fault.kind == PARTIAL and fault.operation not in BATCHES:
            raise InvalidQuery(f"only {' and '.join(BATCHES)} can fail in part")
        if fault.kind == PARTIAL and not fault.items:
            raise InvalidQuery("items must name addresses or positions of the batch")
        if fault.kind == FAIL:
            for operation in self._concerned(fault):
                chosen_error(operation, fault)

    def _concerned(self, fault: Fault) -> Sequence[Operation]:
        if fault.operation == ALL:
            return self._operations.of_cloudflare()
        return [self._operations.named(fault.operation)]

    def _message(self, fault: Fault) -> str:
        """The text of the items that fail: that of the operation on one item."""
        if not (fault.error or fault.code or fault.status):
            fault = fault._replace(error="store_failed")
        operation = self._operations.named(BATCHES[fault.operation])
        error = chosen_error(operation, fault)
        if error is None:
            raise _unknown(operation, "an item fails with a code or an error")
        return error.message


def injected(operation: Operation, fault: Fault) -> Injected:
    """The response of a fault that fails the request."""
    error = chosen_error(operation, fault)
    if error is None:
        assert fault.status is not None
        text = f"error code: {fault.status}".encode()
        return Injected(fault.status, text, "text/plain; charset=UTF-8", _retry(fault, ()))
    return Injected(error.status, error.body, "application/json", _retry(fault, error.headers))


def _retry(fault: Fault, headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    if fault.retry_after is None:
        return headers
    return (
        *((name, value) for name, value in headers if name != "retry-after"),
        ("retry-after", str(fault.retry_after)),
    )


def chosen_error(operation: Operation, fault: Fault) -> DocumentedError | None:
    """The error of an operation that a fault asks for; None for an error of the network in front.
    Raises InvalidQuery, which lists the errors of the operation."""
    if not (fault.error or fault.code or fault.status):
        raise _unknown(operation, "name a status, a code or an error")
    for error in operation.errors:
        if (
            fault.error in ("", error.name)
            and fault.code in (None, error.code)
            and fault.status in (None, error.status)
        ):
            return error
    if fault.status in GATEWAY_STATUSES and not (fault.code or fault.error):
        return None
    asked = {"status": fault.status, "code": fault.code, "error": fault.error}
    text = " and ".join(f"{name} {value}" for name, value in asked.items() if value)
    raise _unknown(operation, f"{operation.name} does not return {text}")


def _unknown(operation: Operation, problem: str) -> InvalidQuery:
    errors = ", ".join(f"{e.name} ({e.status}, {e.code})" for e in operation.errors)
    statuses = ", ".join(map(str, GATEWAY_STATUSES))
    return InvalidQuery(f"{problem}; it can return: {errors}; statuses {statuses} without a code")

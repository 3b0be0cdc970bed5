"""The requests that the server has answered, for tests that look at what a client did.

A request is kept as it is and described when somebody asks. Secrets are redacted then: credentials
in headers, and secrets of tokens in responses. The oldest requests are dropped beyond a number and
a size.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from originmap.api.body import NOT_JSON
from originmap.api.http.request import Request
from originmap.api.http.response import Response
from originmap.api.timestamps import timestamp
from originmap.dev.basis import NOT_SERVED, FactBasis
from originmap.dev.faults import Fault
from originmap.dev.ignored import NOTHING, ignored_in
from originmap.dev.operations import Operation

MOST_REQUESTS = 10_000
MOST_BYTES = 64 << 20
REDACTED = "[redacted]"
_SECRET_HEADERS = {b"authorization", b"cookie", b"proxy-authorization", b"x-auth-key"}
_WITH_SECRET = ("create_token", "create_account_token", "roll_token", "roll_account_token")


class JournalEntry(NamedTuple):
    """A request and its response. `operation` is None if the path is not served; `at` is
    microseconds since 1970 UTC."""

    at: int
    operation: Operation | None
    request: Request
    response: Response
    basis: FactBasis | None
    fault: Fault | None = None
    problems: Sequence[str] = ()  # found by strict checks


class RequestJournal:
    """The newest requests, and totals of what their responses rest on."""

    def __init__(self, *, keeps: bool = True) -> None:
        """With `keeps` false, the journal stays empty."""
        self.keeps = keeps
        self._entries: deque[JournalEntry] = deque()
        self._bytes = 0
        self._last = 0
        self._news: asyncio.Event | None = None  # while somebody waits
        self._stopped = False
        self._by_basis: dict[FactBasis, int] = {}
        self.not_served: Counter[str] = Counter()

    @property
    def last(self) -> int:
        """The number of the last request."""
        return self._last

    def add(self, entry: JournalEntry) -> None:
        """Add a request with its response."""
        self._last += 1
        entries = self._entries
        entries.append(entry)
        self._bytes += len(entry.request.body) + len(entry.response.body)
        while self._bytes > MOST_BYTES or len(entries) > MOST_REQUESTS:
            oldest = entries.popleft()
            self._bytes -= len(oldest.request.body) + len(oldest.response.body)
        basis = entry.basis
        if basis is not None:
            self._by_basis[basis] = self._by_basis.get(basis, 0) + 1
            if basis.strength == NOT_SERVED:
                self.not_served[f"{entry.request.method} {entry.request.path}"] += 1
        if self._news is not None:
            self._news.set()

    def clear(self) -> None:
        """Forget all requests; numbers go on."""
        self._entries.clear()
        self._bytes = 0
        self._by_basis.clear()
        self.not_served.clear()

    @property
    def strengths(self) -> Counter[str]:
        """The number of responses by the strength of their basis."""
        counts: Counter[str] = Counter()
        for basis, count in self._by_basis.items():
            counts[basis.strength] += count
        return counts

    @property
    def facts(self) -> Counter[str]:
        """The number of responses by the IDs of the facts that they rest on."""
        counts: Counter[str] = Counter()
        for basis, count in self._by_basis.items():
            for id_ in basis.facts if basis.strength != NOT_SERVED else ():
                counts[id_] += count
        return counts

    def entries(self, operation: str | None, after: int) -> list[tuple[int, JournalEntry]]:
        """The entries after a number, with their numbers; of one operation if it is given."""
        first = self._last - len(self._entries) + 1
        return [
            (number, entry)
            for number, entry in enumerate(self._entries, first)
            if number > after
            and operation in (None, entry.operation.name if entry.operation else "")
        ]

    async def wait(self, operation: str | None, after: int, count: int, seconds: float) -> None:
        """Wait until `entries` has `count` entries, for so many seconds at most, and not if the
        server is stopping."""
        self._news = self._news or asyncio.Event()
        try:
            async with asyncio.timeout(seconds):
                while len(self.entries(operation, after)) < count and not self._stopped:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return

    def stop(self) -> None:
        """Stop all waits for requests."""
        self._stopped = True
        if self._news is not None:
            self._news.set()


def shown(number: int, entry: JournalEntry) -> dict[str, Any]:
    """An entry as JSON."""
    operation, request, response = entry.operation, entry.request, entry.response
    ignored = NOTHING if operation is None else ignored_in(operation, request)
    return {
        "number": number,
        "at": timestamp(entry.at),
        "operation": operation.name if operation else None,
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "headers": _headers(request),
        "body": _content(request.body),
        "status": response.status,
        "answer": _answer(operation, response),
        "ignored_arguments": ignored.arguments,
        "ignored_fields": ignored.fields,
        "deprecated": operation is not None and operation.deprecated,
        "problems": entry.problems,
        "fault": entry.fault.kind if entry.fault else None,
        "basis": entry.basis.strength if entry.basis else None,
        "facts": entry.basis.facts if entry.basis else (),
        "request_id": request.id,
    }


def _headers(request: Request) -> dict[str, str]:
    return {
        name.decode("latin-1"): REDACTED if name in _SECRET_HEADERS else value.decode("latin-1")
        for name, value in request.headers.items()
    }


def _answer(operation: Operation | None, response: Response) -> Any:
    answer = _content(response.body)
    if operation is not None and operation.name in _WITH_SECRET and isinstance(answer, dict):
        result = answer.get("result")
        if isinstance(result, str):
            answer["result"] = REDACTED
        elif isinstance(result, dict) and "value" in result:
            result["value"] = REDACTED
    return answer


def _content(body: bytes) -> Any:
    """A body as JSON; as text if it is none, None if it is empty."""
    if not body:
        return None
    try:
        return msgspec.json.decode(body)
    except NOT_JSON:
        return body.decode("utf-8", "replace")

"""The requests that the server has answered, for tests that look at what a client did.

A request is kept as it is, and described when somebody asks. Secrets are redacted then: credentials
in headers, and secrets of tokens in responses. The oldest requests are dropped beyond a number and
a size.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from originmap.api.body import NOT_JSON
from originmap.api.timestamps import timestamp
from originmap.dev.basis import NOT_SERVED, FactBasis
from originmap.dev.clock import ClockSetting
from originmap.dev.faults import Fault
from originmap.dev.ignored import NOTHING, ignored_in
from originmap.dev.operations import Operation

MOST_REQUESTS = 10_000
MOST_BYTES = 64 << 20
_DROPPED_AT_ONCE = 100
REDACTED = "[redacted]"
_SECRET_HEADERS = {b"authorization", b"cookie", b"proxy-authorization", b"x-auth-key"}
_WITH_SECRET = ("create_token", "create_account_token", "roll_token", "roll_account_token")


class Remark(NamedTuple):
    """What happened to a request besides its response."""

    fault: Fault | None = None
    problems: Sequence[str] = ()  # found by strict checks

    @property
    def made_up(self) -> bool:
        """Whether the response is none of Cloudflare's: a fault, or a strict check, made it."""
        return bool(self.problems) or (self.fault is not None and not self.fault.answered)


NO_REMARK = Remark()


class JournalEntry(msgspec.Struct, gc=False):
    """A request and its response. `operation` is None if the path is not served; `answered` is in
    nanoseconds since 1970 UTC, by the machine's clock.

    It refers to their parts: it takes less memory than they do, and does not keep the connection.
    """

    answered: int
    clock: ClockSetting
    operation: Operation | None
    basis: FactBasis | None
    remark: Remark
    method: str
    path: str
    query: str
    headers: Mapping[bytes, bytes]
    body: bytes
    id: str
    status: int
    answer: bytes

    @property
    def at(self) -> int:
        """The time of the response by the clock of the server, in microseconds since 1970 UTC."""
        return self.clock.time(self.answered // 1000)


class BasisTotals:
    """Numbers of responses by what they rest on."""

    def __init__(self, entries: Iterable[JournalEntry] = ()) -> None:
        self._by_basis: Counter[FactBasis] = Counter()
        self.not_served: Counter[str] = Counter()
        for entry in entries:
            self.add(entry)

    def add(self, entry: JournalEntry) -> None:
        """Count a response."""
        if entry.basis is not None:
            self._by_basis[entry.basis] += 1
            if entry.basis.strength == NOT_SERVED:
                self.not_served[f"{entry.method} {entry.path}"] += 1

    def __add__(self, other: "BasisTotals") -> "BasisTotals":
        both = BasisTotals()
        both._by_basis = self._by_basis + other._by_basis
        both.not_served = self.not_served + other.not_served
        return both

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


class RequestJournal:
    """The newest requests, and totals of what their responses rest on.

    It is there for every request, so `add` does the least; the rest happens when somebody asks,
    or for many requests at once.
    """

    def __init__(self, *, keeps: bool = True) -> None:
        """With `keeps` false, the journal stays empty."""
        self.keeps = keeps
        self._entries: deque[JournalEntry] = deque()
        self._bytes = 0
        self._before = 0  # requests before the first of these
        self._dropped = BasisTotals()
        self._news: asyncio.Event | None = None  # while somebody waits
        self._stopped = False

    @property
    def last(self) -> int:
        """The number of the last request."""
        return self._before + len(self._entries)

    @property
    def totals(self) -> BasisTotals:
        """The totals since the journal was cleared."""
        return self._dropped + BasisTotals(self._entries)

    def add(self, entry: JournalEntry) -> None:
        """Add a request with its response."""
        self._entries.append(entry)
        self._bytes += len(entry.body) + len(entry.answer)
        if self._bytes > MOST_BYTES or len(self._entries) > MOST_REQUESTS + _DROPPED_AT_ONCE:
            self._drop()
        if self._news is not None:
            self._news.set()
            self._news = None

    def _drop(self) -> None:
        while self._bytes > MOST_BYTES or len(self._entries) > MOST_REQUESTS:
            oldest = self._entries.popleft()
            self._bytes -= len(oldest.body) + len(oldest.answer)
            self._before += 1
            self._dropped.add(oldest)

    def clear(self) -> None:
        """Forget all requests; numbers go on."""
        self._before = self.last
        self._entries.clear()
        self._bytes = 0
        self._dropped = BasisTotals()

    def entries(self, operation: str | None, after: int) -> list[tuple[int, JournalEntry]]:
        """The entries after a number, with their numbers; of one operation if it is given."""
        return [
            (number, entry)
            for number, entry in enumerate(self._entries, self._before + 1)
            if number > after
            and operation in (None, entry.operation.name if entry.operation else "")
        ]

    async def wait(self, operation: str | None, after: int, count: int, seconds: float) -> None:
        """Wait until `entries` has `count` entries, for so many seconds at most, and not if the
        server is stopping."""
        try:
            async with asyncio.timeout(seconds):
                while len(self.entries(operation, after)) < count and not self._stopped:
                    self._news = self._news or asyncio.Event()
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
    operation = entry.operation
    ignored = NOTHING if operation is None else ignored_in(operation, entry.query, entry.body)
    return {
        "number": number,
        "at": timestamp(entry.at),
        "operation": operation.name if operation else None,
        "method": entry.method,
        "path": entry.path,
        "query": entry.query,
        "headers": _headers(entry.headers),
        "body": _content(entry.body),
        "status": entry.status,
        "answer": _answer(operation, entry.answer),
        "ignored_arguments": ignored.arguments,
        "ignored_fields": ignored.fields,
        "deprecated": operation is not None and operation.deprecated,
        "problems": entry.remark.problems,
        "fault": entry.remark.fault.kind if entry.remark.fault else None,
        "basis": entry.basis.strength if entry.basis else None,
        "facts": entry.basis.facts if entry.basis else (),
        "request_id": entry.id,
    }


def _headers(headers: Mapping[bytes, bytes]) -> dict[str, str]:
    return {
        name.decode("latin-1"): REDACTED if name in _SECRET_HEADERS else value.decode("latin-1")
        for name, value in headers.items()
    }


def _answer(operation: Operation | None, body: bytes) -> Any:
    answer = _content(body)
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

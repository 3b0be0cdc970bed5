"""The requests that a development server has got."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, overload

from originmap.testing.control import ControlClient

_LONGEST_WAIT = 60


class RecordedRequest(NamedTuple):
    """A request and its answer. Bodies are JSON values, or text if they are not JSON."""

    number: int
    at: str  # RFC 3339
    operation: str | None  # None if the path is not served
    method: str
    path: str
    query: str
    headers: dict[str, str]  # names in lower case; credentials are redacted
    body: Any
    status: int
    answer: Any
    ignored_arguments: list[str]
    ignored_fields: list[str]
    deprecated: bool
    problems: list[str]  # found by strict checks
    fault: str | None  # its kind
    basis: str | None
    facts: list[str]
    request_id: str


class RequestLog(Sequence[RecordedRequest]):
    """The requests since the last reset, oldest first. Each use asks the server."""

    def __init__(self, control: ControlClient) -> None:
        self._control = control

    def __len__(self) -> int:
        return len(self._read())

    def __iter__(self) -> Iterator[RecordedRequest]:
        return iter(self._read())

    @overload
    def __getitem__(self, index: int) -> RecordedRequest: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[RecordedRequest]: ...
    def __getitem__(self, index: int | slice) -> RecordedRequest | Sequence[RecordedRequest]:
        return self._read()[index]

    def __repr__(self) -> str:
        lines = (f"{r.operation or r.method} {r.path} -> {r.status}" for r in self._read())
        return f"<{len(self)} requests: {'; '.join(lines)}>"

    def of(self, operation: str) -> list[RecordedRequest]:
        """The requests for one operation."""
        return self._read(operation=operation)

    def wait(
        self, operation: str | None = None, count: int = 1, timeout: float = 10.0
    ) -> list[RecordedRequest]:
        """Wait until there are `count` requests, of one operation if it is given; at most
        `timeout` seconds. Raises TimeoutError."""
        seconds = max(1, min(round(timeout + 0.5), _LONGEST_WAIT))
        found = self._read(operation=operation, count=count, wait=seconds)
        if len(found) < count:
            wanted = f"{count} requests" + (f" for {operation}" if operation else "")
            raise TimeoutError(f"got {len(found)} of {wanted} in {timeout:g} s: {self!r}")
        return found

    def clear(self) -> None:
        """Forget the requests so far."""
        self._control.ask("DELETE", "/requests")

    def _read(self, **arguments: object) -> list[RecordedRequest]:
        found = self._control.ask("GET", "/requests", **arguments)
        return [RecordedRequest(**entry) for entry in found["requests"]]

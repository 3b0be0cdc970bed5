"""A request of a check, and the server's answer to it, both as they are on the wire."""

import functools
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

UNKNOWN_ZONE = "0000000000000000000000000000000f"
"""An ID of the right form that no zone has."""
JSON = (("Content-Type", "application/json"),)


class Probe(NamedTuple):
    """A request. `path` is below the API's base URL, percent-encoded, with its query. Without
    `signed`, the credentials of the run are not sent."""

    method: str
    path: str
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()
    signed: bool = True

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class ServerAnswer:
    """An answer; the names of `headers` are in lower case."""

    probe: Probe
    status: int
    headers: dict[str, str]
    body: bytes

    @functools.cached_property
    def json(self) -> Any:
        """The body as JSON; its text if it is none."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return self.body.decode("utf-8", "replace")

    @property
    def result(self) -> Any:
        """The member `result`; None if there is none."""
        return self.json.get("result") if isinstance(self.json, dict) else None

    @property
    def succeeded(self) -> bool:
        """Whether the answer says so, in its status and in its body."""
        body = self.json
        return self.status < 300 and isinstance(body, dict) and body.get("success") is True

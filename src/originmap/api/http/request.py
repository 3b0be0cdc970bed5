"""A request: its head and body, its connection, and the state of its processing.

A handler gets the request when the body is complete. The access log reads it afterwards, and it
is the recorded cause of the changes that it makes.
"""

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from originmap.api.errors import Overrides
from originmap.api.http.link import Link
from originmap.domain.history.change import Cause

if TYPE_CHECKING:
    from originmap.service.access.directory import Caller


_NONE: Mapping[str, str] = MappingProxyType({})


class Request:
    """One request.

    `path` is as sent, still percent-encoded; header names are in lower case, and the values of
    headers with the same name are joined (RFC 9110 §5.2). `arguments` are the path parameters, by
    the names in the route's template.
    """

    def __init__(
        self,
        method: str,
        url: str,
        headers: Mapping[bytes, bytes],
        client: str,
        id: str,
        version: str = "1.1",
        link: Link = Link(),  # noqa: B008 (it has no state)
    ) -> None:
        self.method = method
        self.path, _, self.query = url.partition("?")
        self.headers = headers
        self.client = client
        self.id = id
        self.version = version
        self.link = link
        self.by_operator = link.of_operator  # over the operator's socket, or from this process
        self.started = time.perf_counter_ns()

        self.body = b""
        self.arguments: Mapping[str, str] = _NONE
        self.route = ""  # the template of its path, "" if there is no route
        self.refusals: Overrides | None = None  # the rows of its route
        self.zone_id = ""
        self.known_caller: Caller | None = None
        self.counted = False  # against the rate limits
        self.answer_headers: tuple[tuple[str, str], ...] = ()  # of every response, errors too

        self.length = 0  # of the body, from Content-Length
        self.received = 0  # bytes of the body
        self.complete = False  # the body is complete
        self.continues = False  # the client waits for 100 Continue
        self.keep_alive = True
        self.admitted = False  # its body is needed
        self.answered = False  # before its body had arrived

    @property
    def caller(self) -> "Caller":
        """The caller; available after the credential has been checked."""
        assert self.known_caller is not None
        return self.known_caller

    def header(self, name: bytes) -> str | None:
        """The value of a header; None if it is missing."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    def query_arguments(self) -> dict[str, list[str]]:
        """The query arguments, each with all its values in the order sent."""
        found: dict[str, list[str]] = {}
        if self.query:
            for name, value in parse_qsl(self.query, keep_blank_values=True):
                found.setdefault(name, []).append(value)
        return found

    def cause(self) -> Cause:
        """This request as the cause of a change."""
        return Cause(self.caller.id, self.client, self.id)

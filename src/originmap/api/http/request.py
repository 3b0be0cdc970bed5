"""A request: its head, its body, how it arrived, and what is learnt while it is answered.

A handler gets one when the body has arrived. The access log reads it afterwards, and a change
that the request makes has it as its cause.
"""

import random
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


class Request:
    """One request.

    `path` is as it was sent, still percent-encoded; header names are in lower case, and the values
    of several headers with one name are joined (RFC 9110 §5.2). `arguments` are the path's, by the
    names in the route's template.
    """

    body = b""
    arguments: Mapping[str, str] = MappingProxyType({})
    route = ""  # the template of its path, "" when there is none
    refusals: Overrides | None = None  # as its route has them
    zone_id = ""
    known_caller: "Caller | None" = None
    counted = False  # against the rate limits
    answer_headers: tuple[tuple[str, str], ...] = ()  # of every answer to it, errors too

    length = 0  # of the body, as announced
    received = 0  # bytes of the body
    complete = False  # the body is all there
    continues = False  # the client waits to be told to send the body
    keep_alive = True
    admitted = False  # its body is wanted
    answered = False  # before its body had arrived

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
        self.started = time.perf_counter_ns()

    @property
    def by_operator(self) -> bool:
        """Whether it came over the operator's socket, or from this process."""
        return self.link.of_operator

    @property
    def caller(self) -> "Caller":
        """Who sends it; known once the credential has been checked."""
        assert self.known_caller is not None
        return self.known_caller

    def header(self, name: bytes) -> str | None:
        """The value of a header, None without one."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    def query_arguments(self) -> dict[str, list[str]]:
        """The arguments of the query, each with all its values, in the order sent."""
        found: dict[str, list[str]] = {}
        if self.query:
            for name, value in parse_qsl(self.query, keep_blank_values=True):
                found.setdefault(name, []).append(value)
        return found

    def cause(self) -> Cause:
        """This request as the cause of a change."""
        return Cause(self.caller.id, self.client, self.id)


class RequestIDs:
    """Makes request IDs as `cf-ray` has them: 16 hex digits, "-", the code of a colo."""

    def __init__(self, colo: str = "XXX") -> None:
        self._suffix = f"-{colo}"
        self._random = random.Random()  # noqa: S311 (an ID, not a secret)

    def next(self) -> str:
        """A new ID."""
        return f"{self._random.getrandbits(64):016x}{self._suffix}"

"""Sends probes, and obeys the rate limit of the server. It never repeats a request that may have
been carried out, because the second answer would be another one."""

import datetime
import time
from collections.abc import Callable, Mapping

import httpx

from originmap import __version__
from originmap.client import pace
from originmap.client.connection import Credentials, OnWait
from originmap.client.errors import Unreachable, Unreadable
from originmap.domain.server_url import InvalidServerURL, parse
from originmap.outbound.http import DIRECT, route_to
from originmap.verify.errors import Throttled
from originmap.verify.probe import Probe, ServerAnswer

_SECONDS = 30.0
_TRIES = 4
_TOO_MANY = 429
_WAIT_SECONDS = 30.0
"""The wait after a 429 without Retry-After."""
_MOST_BYTES = 16 << 20
"""Of an answer; a page of mappings has less than 20 KiB."""


class ProbeConnection:
    """Requests to one base URL, one after another; a context manager."""

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        on_wait: OnWait = lambda seconds, why: None,
        environment: Mapping[str, str] = DIRECT,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Raises NoCredentials, Unreachable if the URL is invalid, UnusableEnvironment."""
        try:
            server = parse(base_url)
        except InvalidServerURL as error:
            raise Unreachable("the URL of the API", str(error)) from None
        self.requests = 0
        self.on_answer: Callable[[ServerAnswer], None] = lambda answer: None
        self._base = str(server)
        self._signed = credentials.headers()
        self._on_wait = on_wait
        self._sleep = sleep
        self._wait = 0.0
        self._route = route_to(server, environment)
        agent = {"User-Agent": f"originmap-verify/{__version__}"}
        self._http = self._route.client(agent, httpx.Timeout(_SECONDS))

    def __enter__(self) -> "ProbeConnection":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def send(self, probe: Probe) -> ServerAnswer:
        """The answer to a probe. Raises Unreachable, Unreadable, Throttled."""
        for _ in range(_TRIES):
            self._pause("the rate limit is used up")
            answer = self._once(probe)
            self._wait = pace.wait_after(answer.headers)
            if answer.status != _TOO_MANY or not probe.signed:
                self.on_answer(answer)
                return answer
            now = datetime.datetime.now(datetime.UTC)
            asked = pace.retry_after(answer.headers, now)
            self._wait = max(self._wait, _WAIT_SECONDS if asked is None else asked)
        raise Throttled

    def _once(self, probe: Probe) -> ServerAnswer:
        self.requests += 1
        headers = [*(self._signed.items() if probe.signed else ()), *probe.headers]
        url = self._base + probe.path
        try:
            with self._http.stream(
                probe.method, url, content=probe.body, headers=headers
            ) as answer:
                content = _content(probe, answer)
        except (httpx.RequestError, httpx.InvalidURL) as error:
            failure = self._route.failure(error)
            raise Unreachable(self._base, failure.reason, failure.hint) from error
        found = {name.lower(): value for name, value in answer.headers.items()}
        return ServerAnswer(probe, answer.status_code, found, content)

    def _pause(self, why: str) -> None:
        if self._wait > 1:
            self._on_wait(self._wait, why)
        if self._wait > 0:
            self._sleep(self._wait)


def _content(probe: Probe, answer: httpx.Response) -> bytes:
    """The body of an answer. Raises Unreadable if it is too long, httpx.RequestError."""
    content = bytearray()
    for chunk in answer.iter_bytes():
        content += chunk
        if len(content) > _MOST_BYTES:
            reason = f"it is longer than {_MOST_BYTES >> 20} MiB"
            raise Unreadable(str(probe), answer.status_code, reason)
    return bytes(content)

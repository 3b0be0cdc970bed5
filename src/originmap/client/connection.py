"""One connection to an API: authenticates requests, obeys the rate limit, and retries.

Every request of this package is idempotent: reads change nothing, and writes replace whole
mappings (published: "PUT is idempotent"). So a request without a response is retried. Permanent
errors are not.
"""

import contextlib
import datetime
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import httpx
import msgspec

from originmap import __version__
from originmap.client import pace
from originmap.client.envelope import Envelope, read_envelope
from originmap.client.errors import (
    ClientError,
    NoCredentials,
    Redirected,
    Refused,
    Unreachable,
    Unreadable,
)
from originmap.client.slow_answer import SlowAnswers
from originmap.domain.server_url import InvalidServerURL, parse, without_secrets
from originmap.outbound.http import DIRECT, route_to

_SECONDS = 60.0
_SHOWN = 2000
_TITLE = re.compile(r"<title[^>]*>([^<]{1,100})", re.IGNORECASE)
_AGAIN = {408, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524}
_THROTTLED = {971, 10429}
"""Error codes of rate limits; 971 also occurs with status 200."""
OnWait = Callable[[float, str], None]
"""Called before each wait of more than a second, with its seconds and the reason."""
OnSlow = Callable[[str], None]
"""Called once, from another thread, with a host that has not answered for two seconds."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A token, or a user's email address and key. If both are set, the token is used."""

    token: str = ""
    email: str = ""
    key: str = ""

    def headers(self) -> dict[str, str]:
        """The authentication headers of a request. Raises NoCredentials."""
        if self.token:
            return {"Authorization": f"Bearer {self.token}"}
        if self.email and self.key:
            return {"X-Auth-Email": self.email, "X-Auth-Key": self.key}
        raise NoCredentials


class APIConnection:
    """Requests to one base URL, one after another; a context manager."""

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        on_wait: OnWait = lambda seconds, why: None,
        sleep: Callable[[float], None] = time.sleep,
        environment: Mapping[str, str] = DIRECT,
        on_slow: OnSlow = lambda host: None,
    ) -> None:
        """`environment` can set a proxy and certificates. Raises NoCredentials, Unreachable if
        the URL is invalid, UnusableEnvironment."""
        try:
            server = parse(base_url)
        except InvalidServerURL as error:
            hint = "use the base URL of an API, such as https://api.cloudflare.com/client/v4"
            raise Unreachable("the URL of the API", str(error), hint) from None
        self.base_url = str(server)
        self.requests = 0
        self._on_wait = on_wait
        self._sleep = sleep
        self._slow = SlowAnswers(lambda: on_slow(server.host))
        self._wait = 0.0
        agent = {"User-Agent": f"originmap/{__version__}"}
        signed = {**agent, **credentials.headers()}
        self._route = route_to(server, environment)
        self._http = self._route.client(signed, httpx.Timeout(_SECONDS))

    def __enter__(self) -> "APIConnection":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(
        self, method: str, path: str, params: Mapping[str, str] | None = None, body: object = None
    ) -> Envelope:
        """Send a request to a path below the base URL. Raises ClientError."""
        url = path if path.startswith("http") else self.base_url + path
        content = None if body is None else msgspec.json.encode(body)
        pauses = pace.back_off()
        while True:
            self._pause(self._wait, "the rate limit is used up")
            outcome = self._try(method, url, params, content)
            if isinstance(outcome, Envelope):
                return outcome
            error, retry_after = outcome
            pause = next(pauses, None)
            if pause is None or (method == "POST" and _may_be_done(error)):
                raise error
            self._pause(pause if retry_after is None else retry_after, str(error))

    def stream(self, path: str) -> Iterator[bytes]:
        """GET a path below the base URL and yield the body in chunks, without retries. Raises
        ClientError."""
        url = self.base_url + path
        try:
            with contextlib.ExitStack() as opened:
                with self._slow.watched():
                    answer = opened.enter_context(self._http.stream("GET", url))
                if answer.status_code != 200:
                    answer.read()
                    outcome = _outcome(f"GET {answer.url.path}", answer, self.base_url)
                    raise Unreadable(url, 200) if isinstance(outcome, Envelope) else outcome[0]
                yield from answer.iter_bytes()
        except httpx.RequestError as error:
            failure = self._route.failure(error)
            raise Unreachable(url, failure.reason, failure.hint) from error

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _try(
        self, method: str, url: str, params: Mapping[str, str] | None, content: bytes | None
    ) -> Envelope | tuple[ClientError, float | None]:
        """Send a request once. Returns the response, or a temporary error and its retry-after in
        seconds. Raises permanent errors."""
        self.requests += 1
        self._wait = 0.0
        headers = {} if content is None else {"Content-Type": "application/json"}
        try:
            with self._slow.watched():
                answer = self._http.request(
                    method, url, params=params, content=content, headers=headers
                )
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise Unreachable(url, str(error)) from error
        except httpx.DecodingError as error:
            return Unreadable(f"{method} {url}", 200, f"cannot decompress it: {error}"), None
        except httpx.RequestError as error:
            failure = self._route.failure(error)
            unreachable = Unreachable(url, failure.reason, failure.hint)
            unreachable.sent = not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
            if failure.lasting:
                raise unreachable from error
            return unreachable, None
        self._wait = pace.wait_after(answer.headers)
        return _outcome(f"{method} {answer.url.path}", answer, self.base_url)

    def _pause(self, seconds: float, why: str) -> None:
        if seconds > 1:
            self._on_wait(seconds, why)
        if seconds > 0:
            self._sleep(seconds)


def _outcome(
    what: str, answer: httpx.Response, base_url: str
) -> Envelope | tuple[ClientError, float | None]:
    retry_after = pace.retry_after(answer.headers, datetime.datetime.now(datetime.UTC))
    if answer.has_redirect_location:
        raise _redirected(what, answer, base_url)
    envelope = read_envelope(answer.content)
    if envelope is None:
        challenged = answer.headers.get("cf-mitigated") == "challenge"
        description = _description(answer)
        unreadable = Unreadable(what, answer.status_code, description, challenged=challenged)
        if answer.status_code in _AGAIN:
            return unreadable, retry_after
        raise unreadable
    if envelope.success and answer.status_code < 400:
        return envelope
    refused = Refused(what, answer.status_code, envelope.errors)
    if answer.status_code in _AGAIN or _THROTTLED.intersection(refused.codes):
        return refused, retry_after
    raise refused


def _may_be_done(error: ClientError) -> bool:
    """Whether the server may have carried out the request that failed. A POST is not repeated then:
    it would make a second token, or take a second step."""
    if isinstance(error, Unreachable):
        return error.sent
    throttled = isinstance(error, Refused) and (
        error.status == 429 or bool(_THROTTLED.intersection(error.codes))
    )
    return not throttled


def _redirected(what: str, answer: httpx.Response, base_url: str) -> Redirected:
    """The target of a redirect, and its base URL if the path is the same."""
    target = answer.url.join(answer.headers.get("location", ""))
    path = str(answer.url.copy_with(query=None)).removeprefix(base_url)
    location = str(target.copy_with(query=None, fragment=None))
    base = location.removesuffix(path) if path and location.endswith(path) else ""
    if base == base_url:  # a redirect to itself, for a login or for cookies
        base = ""
    redacted = without_secrets(str(target))
    return Redirected(what, answer.status_code, redacted, "" if "@" in base else base)


def _description(answer: httpx.Response) -> str:
    """Describe a response that is not from the API."""
    start = answer.content[:_SHOWN].decode("utf-8", "replace").strip()
    if not start:
        return "its body is empty"
    if start.startswith("<") or "html" in answer.headers.get("content-type", ""):
        title = _TITLE.search(start)
        return f"it is a web page, {title[1].strip()!r}" if title else "it is a web page"
    return "it is not JSON in the form of the API"

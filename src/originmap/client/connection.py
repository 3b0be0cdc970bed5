"""One connection to an API: signs requests, keeps to the rate limit, and tries again.

Every request of this room may be sent twice: reading changes nothing, and what is written is
written whole (published: "PUT is idempotent"), so an answer that got lost is asked for again.
What was refused for good is not.
"""

import datetime
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec

from originmap import __version__
from originmap.client import pace
from originmap.client.errors import ClientError, NoCredentials, Refused, Unreachable, Unreadable

_SECONDS = 60.0
_AGAIN = {408, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524}
_THROTTLED = {971, 10429}
"""Codes that say "slow down"; 971 was seen with status 200."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A token, or a user's email address and key; a token counts before the pair."""

    token: str = ""
    email: str = ""
    key: str = ""

    def headers(self) -> dict[str, str]:
        """What signs a request. Raises NoCredentials."""
        if self.token:
            return {"Authorization": f"Bearer {self.token}"}
        if self.email and self.key:
            return {"X-Auth-Email": self.email, "X-Auth-Key": self.key}
        raise NoCredentials


class _Error(msgspec.Struct):
    code: int = 0
    message: str = ""


class ResultInfo(msgspec.Struct):
    """What a page says of the whole list."""

    total_count: int
    total_pages: int = 0


class Envelope(msgspec.Struct):
    """What every answer of the v4 API is wrapped in; `result` is read by who asked."""

    success: bool
    result: msgspec.Raw = msgspec.Raw(b"null")
    result_info: ResultInfo | None = None
    errors: list[_Error] = []


_ENVELOPE = msgspec.json.Decoder(Envelope)


class Connection:
    """Requests to one base URL, one after another; a context manager.

    `on_wait` is told of each wait of more than a second, and why.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        on_wait: Callable[[float, str], None] = lambda seconds, why: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Raises NoCredentials, Unreachable where the URL is none."""
        self.base_url = base_url.rstrip("/")
        self.requests = 0
        self._on_wait = on_wait
        self._sleep = sleep
        self._wait = 0.0
        agent = {"User-Agent": f"originmap/{__version__}"}
        if not self.base_url.startswith(("https://", "http://")):
            raise Unreachable(self.base_url, "not the URL of an API")
        self._http = httpx.Client(
            headers={**agent, **credentials.headers()}, timeout=_SECONDS, follow_redirects=False
        )

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def ask(
        self, method: str, path: str, params: Mapping[str, str] | None = None, body: Any = None
    ) -> Envelope:
        """The answer to a request below the base URL. Raises ClientError."""
        url = path if path.startswith("http") else self.base_url + path
        content = None if body is None else msgspec.json.encode(body)
        pauses = pace.back_off()
        while True:
            self._pause(self._wait, "the rate limit is used up")
            outcome = self._try(method, url, params, content)
            if isinstance(outcome, Envelope):
                return outcome
            error, asked = outcome
            pause = next(pauses, None)
            if pause is None:
                raise error
            self._pause(pause if asked is None else asked, str(error))

    def _try(
        self, method: str, url: str, params: Mapping[str, str] | None, content: bytes | None
    ) -> Envelope | tuple[ClientError, float | None]:
        """An answer; or why there is none yet and what to wait. Raises what trying again does
        not help against."""
        self.requests += 1
        self._wait = 0.0
        headers = {} if content is None else {"Content-Type": "application/json"}
        try:
            answer = self._http.request(
                method, url, params=params, content=content, headers=headers
            )
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise Unreachable(url, str(error)) from error
        except httpx.TransportError as error:
            return Unreachable(url, str(error) or type(error).__name__), None
        self._wait = pace.wait_after(answer.headers)
        what = f"{method} {answer.url.path}"
        asked = pace.retry_after(answer.headers, datetime.datetime.now(datetime.UTC))
        try:
            envelope = _ENVELOPE.decode(answer.content)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            unreadable = Unreadable(what, answer.status_code)
            if answer.status_code in _AGAIN:
                return unreadable, asked
            raise unreadable from None
        if envelope.success and answer.status_code < 400:
            return envelope
        refused = Refused(
            what, answer.status_code, [(error.code, error.message) for error in envelope.errors]
        )
        if answer.status_code in _AGAIN or _THROTTLED.intersection(refused.codes):
            return refused, asked
        raise refused

    def _pause(self, seconds: float, why: str) -> None:
        if seconds > 1:
            self._on_wait(seconds, why)
        if seconds > 0:
            self._sleep(seconds)

"""Reading another server's feed over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any

import httpx
import msgspec

from originmap.domain.errors import (
    BrokenFeed,
    PrimaryGone,
    PrimaryMoved,
    PrimaryRefused,
    PrimaryUntrusted,
)
from originmap.domain.number import decimal
from originmap.domain.server_url import InvalidServerURL, parse, without_secrets
from originmap.domain.snapshot import Part
from originmap.feed.changes_json import DeltaJSON
from originmap.feed.snapshot_json import read_lines
from originmap.outbound.http import DIRECT, route_to
from originmap.service.feed import Point
from originmap.service.followers import Report

BASE = "/originmap/v1"
AGE_HEADER = "originmap-replica-age"
_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 15.0
_LONGEST_LINE = 64 << 20
_SHOWN = 200
_OLDEST = 10**12
"""Seconds that no replica is behind."""


class _Answer(msgspec.Struct):
    result: DeltaJSON


_ANSWERS = msgspec.json.Decoder(_Answer)


class FeedClient:
    """One server's feed, as a replica sees it; an async context manager."""

    def __init__(
        self, url: str, token: str, name: str, environment: Mapping[str, str] = DIRECT
    ) -> None:
        """`url` as in http://192.0.2.1:8787; `name` is what the server lists this follower as;
        `environment` may name a proxy and certificates. Raises FeedError if the URL is not one,
        UnusableEnvironment."""
        self._name = name
        self.age = 0.0
        """Seconds that the server's own state was old when it answered last: it may be a
        replica itself."""
        try:
            server = parse(url)
        except InvalidServerURL as error:
            raise PrimaryGone(f"the URL of the primary: {error}") from None
        self._route = route_to(server, environment)
        self._http = self._route.async_client(
            {"Authorization": f"Bearer {token}"},
            httpx.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS),
        )

    async def __aenter__(self) -> "FeedClient":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    async def changes(self, point: Point, limit: int, wait: int) -> DeltaJSON:
        """Changes after `point`, as they came; where there are none, after up to `wait` seconds.
        Raises FeedError."""
        arguments: dict[str, Any] = {
            "since": f"{point.epoch}-{point.revision}",
            "limit": limit,
            "wait": wait,
            "whole": "true",
            "follower": self._name,
        }
        try:
            async with asyncio.timeout(wait + _ANSWER_SECONDS):
                answer = await self._http.get(
                    f"{BASE}/changes", params=arguments, timeout=wait + _ANSWER_SECONDS
                )
        except (httpx.HTTPError, TimeoutError, OSError) as error:
            raise self._gone(error) from error
        self._check(answer, _body(answer))
        try:
            return _ANSWERS.decode(answer.content).result
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise _not_of_the_feed(answer, error) from None

    async def report(self, report: Report) -> None:
        """Say what is served here. Raises FeedError."""
        try:
            answer = await self._http.put(f"{BASE}/followers/{self._name}", json=report._asdict())
        except (httpx.HTTPError, OSError) as error:
            raise self._gone(error) from error
        self._check(answer, _body(answer))

    async def snapshot(self) -> AsyncIterator[Part]:
        """Everything there is, and what led there from where a rollout keeps nodes. Raises
        FeedError, also in the middle of it."""
        try:
            async with self._http.stream(
                "GET", f"{BASE}/snapshot", params={"whole": "true", "history": "true"}
            ) as answer:
                if answer.status_code != httpx.codes.OK:
                    self._check(answer, await answer.aread())
                async for part in read_lines(_lines(answer.aiter_bytes())):
                    yield part
        except (httpx.HTTPError, OSError) as error:
            raise self._gone(error) from error

    def _gone(self, error: Exception) -> PrimaryGone | PrimaryUntrusted:
        failure = self._route.failure(error)
        if failure.lasting:
            return PrimaryUntrusted(failure.reason, failure.hint)
        kind = type(error).__name__
        said = failure.reason if failure.reason.startswith(kind) else f"{kind}: {failure.reason}"
        gone = PrimaryGone(said)
        gone.hint = failure.hint
        return gone

    def _check(self, answer: httpx.Response, body: bytes) -> None:
        if answer.status_code == httpx.codes.OK:
            self.age = _age(answer)
            return
        text = body[:_SHOWN].decode("utf-8", "replace").strip()
        if answer.is_redirect:
            target = str(answer.url.join(answer.headers["location"]))
            base, _, rest = target.partition(BASE)
            raise PrimaryMoved(answer.status_code, without_secrets(base if rest else target))
        if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise PrimaryGone(f"the primary answers {answer.status_code}: {text}")
        raise PrimaryRefused(answer.status_code, text)


def _body(answer: httpx.Response) -> bytes:
    """The body of an answer that was read. The answer and its stream refer to each other, so the
    body, which may have a megabyte, would wait for the garbage collector."""
    answer.stream = httpx.ByteStream(b"")
    return answer.content


def _age(answer: httpx.Response) -> float:
    return decimal(answer.headers.get(AGE_HEADER, "0"), 0, _OLDEST) or 0.0


def _not_of_the_feed(answer: httpx.Response, error: Exception) -> BrokenFeed:
    found = "a web page" if answer.content.lstrip().startswith(b"<") else str(error)
    broken = BrokenFeed(f"the answer is not of the feed: {found}")
    broken.hint = "is --follow the URL of an Originmap?"
    return broken


async def _lines(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Lines, each with its end; the last one may lack it."""
    rest = b""
    async for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line + b"\n"
        if len(rest) > _LONGEST_LINE:
            raise BrokenFeed("a line of the snapshot is too long")
    if rest:
        yield rest

"""Reads another server's feed over HTTP. Every response has a size limit."""

import asyncio
import contextlib
import math
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
from originmap.domain.history.snapshot import EDGE, WHOLE, Part, SnapshotStart
from originmap.domain.number import decimal
from originmap.domain.server_url import InvalidServerURL, parse, without_secrets
from originmap.edge.follow import bounded_reader
from originmap.feed.changes_json import DeltaJSON, SealedDelta, unseal
from originmap.feed.snapshot_json import read_lines
from originmap.feed.state_digest import StateDigest
from originmap.outbound.http import DIRECT, InvalidRedirect, route_to
from originmap.service.feed.feed import Point
from originmap.service.feed.followers import Report
from originmap.service.feed.replication import AGE_HEADER

BASE = "/originmap/v1"
_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 15.0
LONGEST_LINE = 64 << 20
"""Limit of a snapshot line in bytes. The largest lines, changes of latencies, have 10 MiB."""
_LARGEST_PAGE = 64 << 20
"""Limit of a response with changes in bytes; above it, the follower requests fewer changes."""
_LARGEST_ANSWER = 64 << 10
"""Limit of any other response in bytes."""
MOST_BYTES = 16 << 30
"""Limit of a snapshot in bytes: two hundred million mappings."""
_DIGEST_SECONDS = 600.0
_NO_ROUTE = (404, 405)
_SHOWN = 200
_OLDEST = 10**12
"""Seconds; a larger age in a header is not valid."""


class _Answer(msgspec.Struct):
    result: SealedDelta


class _DigestAnswer(msgspec.Struct):
    result: StateDigest


_ANSWERS = msgspec.json.Decoder(_Answer)
_DIGESTS = msgspec.json.Decoder(_DigestAnswer)


class FeedClient:
    """A client of one server's feed; an async context manager."""

    def __init__(
        self,
        url: str,
        token: str,
        name: str,
        environment: Mapping[str, str] = DIRECT,
        most: int = MOST_BYTES,
        *,
        of_nodes: bool = False,
    ) -> None:
        """`url` is a URL such as http://192.0.2.1:8787; `name` is this follower's name in the
        server's list; `environment` can set a proxy and certificates; `most` is the limit of a
        snapshot in bytes; `of_nodes` accepts the edge form of the feed, without credentials.
        Raises FeedError if the URL is invalid, UnusableEnvironment."""
        self._name = name
        self._forms = (WHOLE, EDGE) if of_nodes else (WHOLE,)
        self._most = most
        self.age = 0.0
        """Age of the server's own state in seconds, from its last response: the server may be a
        replica itself."""
        try:
            server = parse(url)
        except InvalidServerURL as error:
            raise PrimaryGone(f"the URL of the primary: {error}") from None
        self._route = route_to(server, environment)
        self._http = self._route.async_client(
            {"Authorization": f"Bearer {token}", "Accept-Encoding": bounded_reader.ACCEPTED},
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
        """Up to `limit` changes after `point`. If there are none, the server waits up to `wait`
        seconds for one. Raises FeedError; AnswerTooLarge if the caller should request fewer."""
        arguments: dict[str, object] = {
            "since": f"{point.epoch}-{point.revision}",
            "limit": limit,
            "wait": wait,
            "whole": "true",
            "follower": self._name,
        }
        try:
            async with asyncio.timeout(wait + _ANSWER_SECONDS):
                body = await self._get("/changes", arguments, wait + _ANSWER_SECONDS, _LARGEST_PAGE)
        except TimeoutError as error:
            raise self._gone(error) from error
        try:
            delta = unseal(_ANSWERS.decode(body).result)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise _not_of_the_feed(body, error) from None
        _check_answer(delta, point, limit)
        return delta

    async def digest(self) -> StateDigest | None:
        """The digest of the server's recent state; None if the server has no such route. Raises
        FeedError."""
        try:
            async with asyncio.timeout(_DIGEST_SECONDS):
                body = await self._get("/digest", {}, _DIGEST_SECONDS, _LARGEST_ANSWER)
            return _DIGESTS.decode(body).result
        except PrimaryRefused as error:
            if error.status in _NO_ROUTE:
                return None
            raise
        except TimeoutError as error:
            raise self._gone(error) from error
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise BrokenFeed(f"the response is not a digest: {error}") from None

    async def report(self, report: Report, name: str = "") -> None:
        """Report the state of this follower to the server, or that of another node, by its name.
        Raises FeedError."""
        path = f"/followers/{name or self._name}"
        async with self._answer("PUT", path, json=report._asdict()) as answer:
            await bounded_reader.whole(
                answer, _LARGEST_ANSWER
            )  # an unread body ends the connection

    async def snapshot(self) -> AsyncIterator[Part]:
        """The full state, and the history that rollouts need. Raises FeedError, also during the
        iteration."""
        arguments = {"whole": "true", "history": "true"}
        async with self._answer("GET", "/snapshot", params=arguments) as answer:
            lines = bounded_reader.lines(bounded_reader.pieces(answer, self._most), LONGEST_LINE)
            async for part in read_lines(lines):
                if isinstance(part, SnapshotStart):
                    self._check_form(part.form)
                yield part

    def _check_form(self, form: str) -> None:
        if form not in self._forms:
            broken = BrokenFeed(f"the token gives access to the {form} form of the feed only")
            broken.hint = "create one on the primary: originmap token create --access replicate"
            raise broken

    async def _get(
        self, path: str, arguments: dict[str, object], seconds: float, most: int
    ) -> bytes:
        async with self._answer("GET", path, params=arguments, timeout=seconds) as answer:
            return await bounded_reader.whole(answer, most)

    @contextlib.asynccontextmanager
    async def _answer(self, method: str, path: str, **how: Any) -> AsyncIterator[httpx.Response]:
        """Open a successful response whose body is not read yet. Raises FeedError, also for errors
        while the body is read."""
        try:
            async with self._http.stream(method, BASE + path, **how) as answer:
                try:
                    await self._check(answer)
                    yield answer
                finally:
                    await answer.aclose()
                    # Break the reference cycle, which would wait for the garbage collector.
                    answer.stream = httpx.ByteStream(b"")
        except InvalidRedirect as error:
            raise BrokenFeed(str(error)) from error
        except (httpx.HTTPError, OSError) as error:
            raise self._gone(error) from error

    def _gone(self, error: Exception) -> PrimaryGone | PrimaryUntrusted:
        failure = self._route.failure(error)
        if failure.lasting:
            return PrimaryUntrusted(failure.reason, failure.hint)
        kind = type(error).__name__
        reason = failure.reason if failure.reason.startswith(kind) else f"{kind}: {failure.reason}"
        gone = PrimaryGone(reason)
        gone.hint = failure.hint
        return gone

    async def _check(self, answer: httpx.Response) -> None:
        if answer.status_code == httpx.codes.OK:
            self.age = _age(answer)
            return
        text = await _beginning(answer)
        if answer.has_redirect_location:
            target = str(answer.url.join(answer.headers["location"]))
            base, _, rest = target.partition(BASE)
            raise PrimaryMoved(answer.status_code, without_secrets(base if rest else target))
        if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise PrimaryGone(f"the primary responded with status {answer.status_code}: {text}")
        raise PrimaryRefused(answer.status_code, text)


def _age(answer: httpx.Response) -> float:
    """The age in a response; infinite if the server does not know it or sends an invalid one."""
    age = decimal(answer.headers.get(AGE_HEADER, "0"), 0, _OLDEST)
    return math.inf if age is None else age


def _not_of_the_feed(body: bytes, error: Exception) -> BrokenFeed:
    reason = "it is a web page" if body.lstrip().startswith(b"<") else str(error)
    broken = BrokenFeed(f"the response is not from an Originmap feed: {reason}")
    broken.hint = "set --follow to the URL of an Originmap server"
    return broken


async def _beginning(answer: httpx.Response) -> str:
    """The beginning of a response's body, for an error message."""
    text = b""
    async for piece in bounded_reader.pieces(answer, _LARGEST_ANSWER):
        text += piece
        if len(text) >= _SHOWN:
            break
    return text[:_SHOWN].decode("utf-8", "replace").strip()


def _check_answer(delta: DeltaJSON, point: Point, limit: int) -> None:
    """Raises BrokenFeed if a response does not match its request."""
    if delta.reset:
        return
    if (delta.epoch, delta.since) != (point.epoch or delta.epoch, point.revision):
        raise BrokenFeed(f"the response is for {delta.epoch}-{delta.since}, not for {point}")
    if len(delta.changes) > limit:
        raise BrokenFeed(f"the response has {len(delta.changes)} changes; the limit was {limit}")

"""Reading another server's feed over HTTP, within bounds: of what it sends no more is taken than a
primary can have."""

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
from originmap.edge.follow import bounded_reader as bounded
from originmap.feed.changes_json import DeltaJSON, SealedDelta, unseal
from originmap.feed.snapshot_json import read_lines
from originmap.feed.state_digest import StateDigest
from originmap.outbound.http import DIRECT, route_to
from originmap.service.feed.feed import Point
from originmap.service.feed.followers import Report

BASE = "/originmap/v1"
AGE_HEADER = "originmap-replica-age"
_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 15.0
_LONGEST_LINE = 64 << 20
"""Bytes of a line of a snapshot. The largest of a primary has changes of latencies, at 10 MiB."""
_LARGEST_PAGE = 64 << 20
"""Bytes of an answer with changes; where they are that large, fewer are asked for."""
_LARGEST_ANSWER = 64 << 10
"""Bytes of any other answer."""
MOST_BYTES = 16 << 30
"""Bytes of a snapshot: two hundred million mappings."""
_DIGEST_SECONDS = 600.0
_NO_ROUTE = (404, 405)
_SHOWN = 200
_OLDEST = 10**12
"""Seconds that no replica is behind."""


class _Answer(msgspec.Struct):
    result: SealedDelta


class _DigestAnswer(msgspec.Struct):
    result: StateDigest


_ANSWERS = msgspec.json.Decoder(_Answer)
_DIGESTS = msgspec.json.Decoder(_DigestAnswer)


class FeedClient:
    """One server's feed, as a replica sees it; an async context manager."""

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
        """`url` as in http://192.0.2.1:8787; `name` is what the server lists this follower as;
        `environment` may name a proxy and certificates; `most` is how many bytes a snapshot may
        have; `of_nodes` says that the edge form is enough. Raises FeedError if the URL is not one,
        UnusableEnvironment."""
        self._name = name
        self._forms = (WHOLE, EDGE) if of_nodes else (WHOLE,)
        self._most = most
        self.age = 0.0
        """Seconds that the server's own state was old when it answered last: it may be a
        replica itself."""
        try:
            server = parse(url)
        except InvalidServerURL as error:
            raise PrimaryGone(f"the URL of the primary: {error}") from None
        self._route = route_to(server, environment)
        self._http = self._route.async_client(
            {"Authorization": f"Bearer {token}", "Accept-Encoding": bounded.ACCEPTED},
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
        Raises FeedError; AnswerTooLarge where fewer should be asked for."""
        arguments: dict[str, Any] = {
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
        """The digest of what the server had not long ago; None from one that has none to give.
        Raises FeedError."""
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
            raise BrokenFeed(f"the answer is no digest: {error}") from None

    async def report(self, report: Report) -> None:
        """Say what is served here. Raises FeedError."""
        path = f"/followers/{self._name}"
        async with self._answer("PUT", path, json=report._asdict()) as answer:
            await bounded.whole(answer, _LARGEST_ANSWER)  # or its connection is not used again

    async def snapshot(self) -> AsyncIterator[Part]:
        """Everything there is, and what led there from where a rollout keeps nodes. Raises
        FeedError, also in the middle of it."""
        everything = {"whole": "true", "history": "true"}
        async with self._answer("GET", "/snapshot", params=everything) as answer:
            found = bounded.lines(bounded.pieces(answer, self._most), _LONGEST_LINE)
            async for part in read_lines(found):
                if isinstance(part, SnapshotStart):
                    self._check_form(part.form)
                yield part

    def _check_form(self, form: str) -> None:
        if form not in self._forms:
            broken = BrokenFeed(f"the token gets the {form} form of the database, not the whole")
            broken.hint = "make a token on the primary: originmap token create --access replicate"
            raise broken

    async def _get(self, path: str, arguments: dict[str, Any], seconds: float, most: int) -> bytes:
        async with self._answer("GET", path, params=arguments, timeout=seconds) as answer:
            return await bounded.whole(answer, most)

    @contextlib.asynccontextmanager
    async def _answer(self, method: str, path: str, **how: Any) -> AsyncIterator[httpx.Response]:
        """An answer that is no refusal, of which the body is still to come. Raises FeedError, also
        for what happens while it is read."""
        try:
            async with self._http.stream(method, BASE + path, **how) as answer:
                try:
                    await self._check(answer)
                    yield answer
                finally:
                    await answer.aclose()
                    # They refer to each other, and would wait for the garbage collector.
                    answer.stream = httpx.ByteStream(b"")
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

    async def _check(self, answer: httpx.Response) -> None:
        if answer.status_code == httpx.codes.OK:
            self.age = _age(answer)
            return
        text = await _beginning(answer)
        if answer.is_redirect:
            target = str(answer.url.join(answer.headers["location"]))
            base, _, rest = target.partition(BASE)
            raise PrimaryMoved(answer.status_code, without_secrets(base if rest else target))
        if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise PrimaryGone(f"the primary answers {answer.status_code}: {text}")
        raise PrimaryRefused(answer.status_code, text)


def _age(answer: httpx.Response) -> float:
    """Infinite where the server does not know, or says what is no age."""
    age = decimal(answer.headers.get(AGE_HEADER, "0"), 0, _OLDEST)
    return math.inf if age is None else age


def _not_of_the_feed(body: bytes, error: Exception) -> BrokenFeed:
    found = "a web page" if body.lstrip().startswith(b"<") else str(error)
    broken = BrokenFeed(f"the answer is not of the feed: {found}")
    broken.hint = "is --follow the URL of an Originmap?"
    return broken


async def _beginning(answer: httpx.Response) -> str:
    """The beginning of what an answer says, enough to be shown."""
    said = b""
    async for piece in bounded.pieces(answer, _LARGEST_ANSWER):
        said += piece
        if len(said) >= _SHOWN:
            break
    return said[:_SHOWN].decode("utf-8", "replace").strip()


def _check_answer(delta: DeltaJSON, point: Point, limit: int) -> None:
    """Raises BrokenFeed for an answer to another question."""
    if delta.reset:
        return
    if (delta.epoch, delta.since) != (point.epoch or delta.epoch, point.revision):
        raise BrokenFeed(f"the answer is about {delta.epoch}-{delta.since}, and not {point}")
    if len(delta.changes) > limit:
        raise BrokenFeed(f"the answer has {len(delta.changes)} changes, and {limit} were asked for")

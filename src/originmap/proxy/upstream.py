"""Requests to the API: paced, counted, and repeated once if that is harmless."""

import asyncio
import datetime
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple, TypeVar

import httpx
import msgspec

from originmap import __version__
from originmap.api import errors
from originmap.api.application import refusal_response
from originmap.api.http.request import Request
from originmap.api.http.response import JSON, Response
from originmap.client import pace
from originmap.outbound.http import OutboundRoute
from originmap.proxy.budget import RequestPace
from originmap.proxy.call import ProxyCall
from originmap.proxy.headers import forwarded_headers, relayed_headers

TIMEOUT = httpx.Timeout(120.0, connect=10.0, pool=None)
MAX_WHOLE = 4 << 20
"""Bytes of a response that the proxy keeps in memory; longer ones are streamed."""

_LOG = logging.getLogger(__name__)
_AGENT = f"originmap-proxy/{__version__}".encode()
_BODILESS = (204, 304)

T = TypeVar("T")


class NoAnswer(Exception):
    """The API sent no response, or not a whole one. `response` is for the caller."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        text = f"The API did not answer: {reason}. A change may have been made or not."
        self.response = refusal_response(errors.refusal(502, 10504, text))


class UpstreamAnswer(NamedTuple):
    """A whole response of the API to a request of the proxy, decompressed."""

    status: int
    headers: httpx.Headers
    body: bytes

    def relayed(self) -> Response:
        """The same response, for a caller."""
        return _whole_response(self.status, relayed_headers(self.headers, decoded=True), self.body)


class Upstream:
    """The API behind a client; `pace` holds requests back."""

    def __init__(self, route: OutboundRoute, client: httpx.AsyncClient) -> None:
        self.requests = 0
        self.pace = RequestPace()
        self._route = route
        self._client = client

    async def ask(
        self, call: ProxyCall, method: str, target: str, body: object = None
    ) -> UpstreamAnswer:
        """Send a request of the proxy's own with the credential of `call`. Raises NoAnswer,
        RateLimited."""
        content = b"" if body is None else msgspec.json.encode(body)
        headers = [
            *call.signed(),
            (b"user-agent", _AGENT),
            (b"accept", JSON.encode()),
            (b"accept-encoding", b"gzip"),
            (b"content-type", JSON.encode()),
        ]

        async def attempt() -> UpstreamAnswer:
            answer = await self._send(call, method, target, headers, content)
            body = await _whole(answer, answer.aiter_bytes())
            return UpstreamAnswer(answer.status_code, answer.headers, body)

        return await self._attempts(attempt, repeat=method != "DELETE")

    async def forward(self, call: ProxyCall, *, repeat: bool = False) -> Response:
        """Send the caller's request unchanged, and return the response unchanged. `repeat` if it
        may be sent again after a broken connection, as GET and HEAD are. Raises NoAnswer,
        RateLimited."""
        request = call.request
        target = f"{request.path}?{request.query}" if request.query else request.path
        headers = forwarded_headers(request)

        async def attempt() -> Response:
            answer = await self._send(call, request.method, target, headers, request.body)
            request.id = answer.headers.get("cf-ray", request.id)
            return await _relayed(request, answer)

        return await self._attempts(attempt, repeat=repeat or request.method in ("GET", "HEAD"))

    async def _attempts(self, attempt: Callable[[], Awaitable[T]], *, repeat: bool) -> T:
        try:
            return await attempt()
        except httpx.RequestError as error:
            lasting = isinstance(error, httpx.TimeoutException)
            if not repeat or lasting or self._route.failure(error).lasting:
                raise self._no_answer(error) from error
        try:
            return await attempt()
        except httpx.RequestError as error:
            raise self._no_answer(error) from error

    def _no_answer(self, error: httpx.RequestError) -> NoAnswer:
        failure = self._route.failure(error)
        server = str(self._route.server)
        data = {"server": server, "why": failure.reason, "hint": failure.hint}
        _LOG.warning("no answer from the API", extra={"data": data})
        return NoAnswer(failure.reason.rstrip("."))

    async def _send(
        self,
        call: ProxyCall,
        method: str,
        target: str,
        headers: list[tuple[bytes, bytes]],
        content: bytes,
    ) -> httpx.Response:
        """Send a request when the rate limit allows it, and again after a 429 if the deadline
        allows that. The body of the response has yet to be read."""
        # Not with the client's headers, and never with a cookie that another caller got.
        request = httpx.Request(
            method,
            self._route.server.origin + target,
            headers=headers,
            content=content or None,
            extensions={"timeout": TIMEOUT.as_dict()},
        )
        budget = self.pace.budget(call.credential)
        while True:
            await self.pace.take(budget, call.deadline)
            self.requests += 1
            try:
                answer = await self._client.send(request, stream=True)
                budget.note(answer.headers)
            finally:
                self.pace.answered(budget)
            if answer.status_code != 429:
                return answer
            now = datetime.datetime.now(datetime.UTC)
            seconds = budget.block(pace.retry_after(answer.headers, now))
            late = asyncio.get_running_loop().time() + seconds > call.deadline
            if late or self.pace.stopped:
                return answer
            await answer.aclose()


async def _relayed(request: Request, answer: httpx.Response) -> Response:
    headers, status = relayed_headers(answer.headers, decoded=False), answer.status_code
    length = answer.headers.get("content-length", "")
    if request.method == "HEAD" or status in _BODILESS:
        await answer.aclose()
        if length and status not in _BODILESS:
            headers = (*headers, ("content-length", length))
        return Response(b"", status, headers, content_type="")
    if length.isdecimal() and int(length) <= MAX_WHOLE:
        return _whole_response(status, headers, await _whole(answer, answer.aiter_raw()))
    if request.version == "1.1":
        headers = (*headers, ("transfer-encoding", "chunked"))
    stream = _UpstreamBody(request, answer)
    return Response(b"", status, headers, content_type="", stream=stream)


def _whole_response(status: int, headers: tuple[tuple[str, str], ...], body: bytes) -> Response:
    length = ("content-length", str(len(body)))
    return Response(body, status, (*headers, length), content_type="")


async def _whole(answer: httpx.Response, parts: AsyncIterator[bytes]) -> bytes:
    """The body of a response. Raises httpx.RequestError, NoAnswer."""
    body = bytearray()
    try:
        async for part in parts:
            body += part
            if len(body) > MAX_WHOLE:
                raise NoAnswer(f"its response has more than {MAX_WHOLE >> 20} MiB")
    finally:
        await answer.aclose()
    return bytes(body)


class _UpstreamBody:
    """The body of a response that is passed on as it arrives."""

    def __init__(self, request: Request, answer: httpx.Response) -> None:
        self._request = request
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for part in self._answer.aiter_raw():
                yield part
        except httpx.RequestError:
            self._request.link.cut()  # so that the caller does not take it for the end

    async def aclose(self) -> None:
        """Close the connection to the API, unless the body was read to its end."""
        await self._answer.aclose()

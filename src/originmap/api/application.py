"""Processes a request: finds the route, checks the permissions, calls the handler.

Only this module turns errors into responses.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Protocol

from originmap.api import envelope, errors
from originmap.api.http.request import Request
from originmap.api.http.response import Answer, Deferred, Response
from originmap.api.http.router import Found, Route, Router
from originmap.domain.access.errors import UnknownKey, UnknownToken, UnusableToken
from originmap.domain.errors import BodyTooLarge, OriginmapError, StoreError, ZoneNotFound
from originmap.service.access.brake import Brake
from originmap.service.feed.replication import AGE_HEADER

_LOG = logging.getLogger(__name__)


class Processor(Protocol):
    """What connections pass their requests to."""

    def answer(self, request: Request) -> Answer | None:
        """The response to a request; None if its body is needed and has not arrived. Never
        raises."""

    def made(self, request: Request, answer: Deferred) -> Response:
        """The response to `request` whose deferred result is ready. Never raises."""


class Pages(Protocol):
    """The web page: what is found at paths without a route."""

    def find(self, request: Request) -> Found | None:
        """The routes at the path of a request; None if the page has none there."""


NoteReads = Callable[[], Callable[[], float | None]]
"""Begins a request. The result returns the age in seconds of what was read for it, if a copy of the
database has served a read."""


class Application:
    """Processes requests of routes."""

    def __init__(
        self,
        routes: Iterable[Route],
        brake: Brake,
        pages: Pages | None = None,
        note_reads: NoteReads | None = None,
    ) -> None:
        self._note_reads = note_reads
        self.routes = tuple(routes)
        self._router = Router(self.routes)
        self._brake = brake
        self._pages = pages

    def answer(self, request: Request) -> Answer | None:
        """The response to a request; None if its body is needed and has not arrived. Never
        raises."""
        route = self._routed(request)
        if isinstance(route, Response):
            return route
        try:
            route.admit(request)
            if not request.complete:
                if max(request.length, request.received) > route.max_body:
                    raise BodyTooLarge
                return None
            answer = route.handle(request)
        except Exception as error:
            return self._refused(request, error)
        if isinstance(answer, Response) or isinstance(answer, Deferred):  # noqa: SIM101 (slower)
            return answer
        if self._note_reads is not None:
            return self._with_age(self._note_reads, request, answer)
        return self._awaited(request, answer)

    async def response(self, request: Request) -> Response:
        """The response to a request whose body is complete. Never raises."""
        request.complete = True
        answer = self.answer(request)
        assert answer is not None
        if isinstance(answer, Deferred):
            await asyncio.wait([answer.ready])
            return self.made(request, answer)
        return answer if isinstance(answer, Response) else await answer

    def stop(self) -> None:
        """The server stops: end what waits for more than changes, which `Feed.stop` ends."""

    def made(self, request: Request, answer: Deferred) -> Response:
        """The response to `request` whose deferred result is ready."""
        try:
            return answer.make()
        except Exception as error:
            return refused(request, error)

    def _routed(self, request: Request) -> Route | Response:
        at = self._router.find(request.path)
        if at is None and self._pages is not None:
            at = self._pages.find(request)
        if at is None:
            return refusal_response(errors.no_route(request.path))
        found, request.arguments = at
        request.route = found.template
        route = found.routes.get(request.method)
        headers = (route or next(iter(found.routes.values()))).headers
        if headers is not None and not request.answer_headers:
            request.answer_headers += headers(request)
        if route is None:
            return refusal_response(errors.method_not_allowed(request.method, found.allowed))
        request.refusals = route.refusals
        return route

    async def _with_age(
        self, note_reads: NoteReads, request: Request, answer: Coroutine[Any, Any, Response]
    ) -> Response:
        age_of_reads = note_reads()
        response = await self._awaited(request, answer)
        age = age_of_reads()
        if age is not None:
            request.answer_headers += ((AGE_HEADER, f"{age:.3f}"),)
        return response

    async def _awaited(self, request: Request, answer: Coroutine[Any, Any, Response]) -> Response:
        try:
            return await answer
        except Exception as error:
            refusal = self._refused(request, error)
            return refusal if isinstance(refusal, Response) else await refusal

    def _refused(
        self, request: Request, error: Exception
    ) -> Response | Coroutine[Any, Any, Response]:
        response = refused(request, error)
        if isinstance(error, UnknownToken | UnusableToken | UnknownKey):
            delay = self._brake.delay(request.client)
            if delay:
                return _later(delay, response)
        return response


def refusal_response(refusal: errors.Refusal) -> Response:
    """An error response, in the envelope."""
    return Response(envelope.failure(refusal.errors), refusal.status, refusal.headers)


def refused(request: Request, error: Exception) -> Response:
    """The response to a request that raised `error`. For a bug, the client gets "internal error"
    and the cause is logged."""
    if not isinstance(error, OriginmapError):
        _LOG.error("internal error", exc_info=error, extra={"data": {"ray": request.id}})
        return refusal_response(errors.INTERNAL)
    if isinstance(error, StoreError):
        _LOG.error("store", extra={"data": {"ray": request.id, "why": str(error)}})
    if request.by_operator:
        return refusal_response(errors.in_full(error))
    error.__traceback__ = None  # its frames may refer to the error: avoid a reference cycle
    if isinstance(error, ZoneNotFound) and request.refusals is not errors.CORE:
        return refusal_response(errors.no_route(request.path))
    return refusal_response(errors.render(error, request.refusals))


async def _later(seconds: float, response: Response) -> Response:
    await asyncio.sleep(seconds)
    return response

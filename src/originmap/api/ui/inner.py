"""Calls the API's own handlers for a visitor: the same rules, permissions and history as over HTTP.

An inner request has the visitor's token, address and request ID.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from originmap.api.application import Application
from originmap.api.http.request import Request
from originmap.api.http.response import Deferred, Headers, Response

_WORDS = {
    (403, 10000): "Your token does not have the permission for this.",
    (401, 10000): "The session has ended, or the token does not work any more. Sign in again.",
}
_PASSED_ON = (b"accept", b"content-type", b"if-match", b"last-event-id")


class InnerRefused(Exception):
    """The API refused a call; `problems` are its errors in words."""

    def __init__(self, status: int, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.status = status
        self.problems = problems


class InnerAnswer(NamedTuple):
    """A successful answer: `info` has the position of a page in its list."""

    result: Any
    info: Mapping[str, int]
    messages: list[str]
    etag: str


class Inner:
    """Calls the application on behalf of one request of a visitor."""

    def __init__(self, application: Application, outer: Request, token: str) -> None:
        self._application = application
        self._outer = outer
        self._token = token

    async def ask(
        self, method: str, url: str, body: object = None, *, if_match: str = ""
    ) -> InnerAnswer:
        """Call an operation whose answer is in the envelope. Raises InnerRefused."""
        headers = {b"if-match": if_match.encode("latin-1")} if if_match else {}
        request = inner_request(self._outer, self._token, method, url, headers)
        if body is not None:
            request.body = msgspec.json.encode(body)
            request.length = request.received = len(request.body)
        response = await self._application.response(request)
        answer = msgspec.json.decode(response.body)
        if response.status >= 400:
            raise InnerRefused(response.status, _problems(response.status, answer["errors"]))
        return InnerAnswer(
            answer["result"],
            answer.get("result_info", {}),
            [each["message"] for each in answer["messages"]],
            dict(response.headers).get("etag", ""),
        )

    async def text(self, url: str) -> bytes:
        """The body of a GET without an envelope."""
        request = inner_request(self._outer, self._token, "GET", url)
        return (await self._application.response(request)).body

    async def pass_on(self, url: str) -> Response:
        """Answer the visitor's own request as the API does at `url`, streams included."""
        outer = self._outer
        sent = {name: outer.headers[name] for name in _PASSED_ON if name in outer.headers}
        request = inner_request(outer, self._token, outer.method, url, sent)
        request.body, request.length, request.received = outer.body, outer.length, outer.received
        # Before its body is complete, a route checks its size.
        refused = self._application.answer(request) if request.body else None
        if refused is None:
            response = await self._application.response(request)
        else:
            assert not isinstance(refused, Deferred)
            response = refused if isinstance(refused, Response) else await refused
        return with_headers(response, request.answer_headers)


def with_headers(response: Response, headers: Headers) -> Response:
    """A response with more headers. Handlers may share theirs, so it is another one."""
    return Response(
        response.body,
        response.status,
        response.headers + headers,
        response.content_type,
        response.stream,
    )


def inner_request(
    outer: Request,
    token: str,
    method: str,
    url: str,
    headers: Mapping[bytes, bytes] | None = None,
) -> Request:
    """A request for the visitor that sent `outer`, with a token."""
    own = {b"authorization": b"Bearer " + token.encode(), **(headers or {})}
    return Request(method, url, own, outer.client, outer.id, outer.version, outer.link)


def _problems(status: int, errors: list[dict[str, Any]]) -> list[str]:
    found = []
    for error in errors:
        words = _WORDS.get((status, error["code"]), error["message"])
        hint = error.get("hint")
        found.append(f"{words} ({hint})" if hint else words)
    return found

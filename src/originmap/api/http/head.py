"""The head of a response: its status line and its headers."""

from collections.abc import Iterable
from http import HTTPStatus

from originmap.api.http.request import Request
from originmap.api.http.response import Response

_STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus
}


def head_of(
    request: Request, response: Response, common: Iterable[tuple[bytes, bytes]], *, close: bool
) -> bytes:
    """Format the head, with the headers `common` to all responses; `close` adds Connection:
    close."""
    # Statuses outside the registry, such as 520, have no reason phrase (RFC 9112, section 4).
    head = _STATUS_LINES.get(response.status) or f"HTTP/1.1 {response.status} \r\n"
    for key, text in common:
        head += f"{key.decode('latin-1')}: {text.decode('latin-1')}\r\n"
    if response.content_type:
        if response.stream is None:
            head += f"content-length: {len(response.body)}\r\n"
        head += f"content-type: {response.content_type}\r\n"
        if response.stream is not None and request.version == "1.1":
            head += "transfer-encoding: chunked\r\n"
    head += f"cf-ray: {request.id}\r\n"
    for name, value in response.headers + request.answer_headers:
        head += f"{name.lower()}: {value}\r\n"
    return (head + "connection: close\r\n\r\n" if close else head + "\r\n").encode("latin-1")

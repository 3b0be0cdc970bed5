"""The head of a response: its status line and its headers."""

from http import HTTPStatus

from originmap.api.http.request import Request
from originmap.api.http.response import Response

_STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus
}


def head_of(request: Request, response: Response, common: str, *, close: bool) -> bytes:
    """Format the head, with the lines `common` to all responses; `close` adds Connection: close."""
    head = _STATUS_LINES.get(response.status) or f"HTTP/1.1 {response.status} \r\n"
    head += common
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

"""Sends requests to the control routes of a development server, /originmap/dev/v1."""

import contextlib
import http.client
import json
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from originmap.domain.errors import OriginmapError

_BASE = "/originmap/dev/v1"
_SECONDS = 90.0  # longer than the longest wait of the server


class ControlError(OriginmapError):
    """The development server refused a request for its control, or cannot be reached."""


class ControlClient:
    """One connection, used by one thread at a time; it is opened again if it was lost."""

    def __init__(self, url: str, token: str) -> None:
        address = urlsplit(url)
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"}
        self._connection = http.client.HTTPConnection(
            address.hostname or "127.0.0.1", address.port or 80, timeout=_SECONDS
        )
        self._lock = threading.Lock()

    def ask(self, method: str, path: str, body: Any = None, **arguments: object) -> Any:
        """The `result` of a response. Raises ControlError."""
        data = None if body is None else json.dumps(body).encode()
        return json.loads(self.send(method, path, data, **arguments))["result"]

    def send(self, method: str, path: str, data: bytes | None = None, **arguments: object) -> bytes:
        """The body of a response. Raises ControlError."""
        given = {name: value for name, value in arguments.items() if value is not None}
        target = f"{_BASE}{path}" + (f"?{urlencode(given)}" if given else "")
        with self._lock:
            status, answer = self._send(method, target, data)
        if status >= 400:
            raise ControlError(_message(answer, status))
        return answer

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _send(self, method: str, target: str, data: bytes | None) -> tuple[int, bytes]:
        for again in (True, False):
            try:
                self._connection.request(method, target, data, self._headers)
                response = self._connection.getresponse()
                return response.status, response.read()
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()
                if not again:
                    problem = f"no answer from the development server at {self._url}: {error}"
                    raise ControlError(problem) from None
        raise AssertionError


def _message(answer: bytes, status: int) -> str:
    with contextlib.suppress(ValueError, LookupError, TypeError):
        value: Mapping[str, Any] = json.loads(answer)
        return str(value["errors"][0]["message"])
    return f"the development server answered with status {status}"

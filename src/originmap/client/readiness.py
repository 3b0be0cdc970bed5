"""Asks a server whether it is ready, without a token.

Like the socket beside a database, it uses the HTTP client of the standard library, because a health
check is run often and most of its time is the start of the command.
"""

import contextlib
import http.client
from urllib.parse import urlsplit

import msgspec

from originmap.client.server import ServerRefused

_SECONDS = 5.0
_LONGEST = 1 << 16  # bytes of a response


class _Problem(msgspec.Struct):
    message: str


class _Failure(msgspec.Struct):
    errors: list[_Problem]


def check_ready(url: str) -> None:
    """Return if the server at `url` is ready. Raises ServerRefused."""
    address = urlsplit(url)
    secure = address.scheme == "https"
    connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    host, port = address.hostname or "", address.port or (443 if secure else 80)
    connection = connect(host, port, timeout=_SECONDS)
    try:
        with contextlib.closing(connection):
            connection.request("GET", f"{address.path.rstrip('/')}/readyz")
            response = connection.getresponse()
            status, body = response.status, response.read(_LONGEST)
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        raise ServerRefused(
            f"no server answers on {host} port {port}: {error}",
            "start it, or set --host and --port to its address",
        ) from error
    if status != 200:
        raise ServerRefused(f"the server is not ready: {_reason(status, body)}", "see its log")


def _reason(status: int, body: bytes) -> str:
    with contextlib.suppress(msgspec.MsgspecError, IndexError):
        return msgspec.json.decode(body, type=_Failure).errors[0].message
    return f"HTTP status {status}"

"""Asks a server on this machine whether it is ready, without a token.

Like the socket beside a database, it uses the HTTP client of the standard library, because a health
check is run often and most of its time is the start of the command.
"""

import contextlib
import http.client

import msgspec

from originmap.client.server import ServerRefused

_SECONDS = 5.0
_LONGEST = 1 << 16  # bytes of a response
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (what a server listens on)


class _Problem(msgspec.Struct):
    message: str


class _Failure(msgspec.Struct):
    errors: list[_Problem]


def check_ready(host: str, port: int) -> None:
    """Return if the server that listens on this address is ready. Raises ServerRefused."""
    host = _LOOPBACK.get(host, host)
    connection = http.client.HTTPConnection(host, port, timeout=_SECONDS)
    try:
        with contextlib.closing(connection):
            connection.request("GET", "/readyz")
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

"""JSON logs on stderr: one line for each request and for each log record.

Request lines are buffered and written together, many times a second, so that a busy server needs
one system call for hundreds of lines. A line has the ID of the credential, never the secret, and
no query strings or headers.
"""

import asyncio
import datetime
import logging
import os
import time

import msgspec

from originmap.api.http.request import Request
from originmap.api.traffic import Traffic

_FLUSH_SECONDS = 0.1
_FLUSH_LINES = 1000


class _RequestLine(msgspec.Struct, gc=False):
    """One completed request. `time` is its end, in seconds since 1970 UTC."""

    time: float
    level: str
    event: str
    ray: str
    method: str
    path: str
    status: int
    duration_us: int
    client: str
    credential: str  # "" if none was checked
    zone: str  # "" if the route has no zone


class AccessLog:
    """Counts requests, and writes their lines to a file descriptor."""

    def __init__(self, descriptor: int = 2) -> None:
        self.traffic = Traffic()
        self._descriptor = descriptor
        self._lines: list[_RequestLine] = []
        self._encoder = msgspec.json.Encoder()
        self._timer: asyncio.TimerHandle | None = None

    def add(self, request: Request, status: int) -> None:
        """Log a completed request."""
        took = self._count(request, status)
        self._lines.append(
            _RequestLine(
                time.time(),
                "info",
                "request",
                request.id,
                request.method,
                request.path,
                status,
                took,
                request.client,
                request.known_caller.id if request.known_caller else "",
                request.zone_id,
            )
        )
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_FLUSH_SECONDS, self.flush)
        elif len(self._lines) >= _FLUSH_LINES:
            self.flush()

    def _count(self, request: Request, status: int) -> int:
        """Count a request; returns its duration in microseconds."""
        took = (time.perf_counter_ns() - request.started) // 1000
        self.traffic.count(request.route, request.method, status, took)
        return took

    def flush(self) -> None:
        """Write the buffered lines."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        lines, self._lines = self._lines, []
        if lines:
            _write_all(self._descriptor, self._encoder.encode_lines(lines))


class SilentLog(AccessLog):
    """Logs no requests, for `--no-log-requests`."""

    def add(self, request: Request, status: int) -> None:
        """Count a request without logging it."""
        self._count(request, status)


class JSONFormatter(logging.Formatter):
    """Formats log records as JSON lines in the same form."""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record as one line."""
        line: dict[str, object] = {
            "time": datetime.datetime.fromtimestamp(record.created, datetime.UTC).timestamp(),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "logger": record.name,
        }
        line.update(getattr(record, "data", {}))
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


def log_json() -> None:
    """Log warnings to stderr as JSON lines."""
    handler = logging.StreamHandler()
    handler.setFormatter(JSONFormatter())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def _write_all(descriptor: int, data: bytes) -> None:
    """Write all data: wait if the descriptor is a full pipe, ignore a reader that has exited."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except BlockingIOError:
            time.sleep(0.001)
        except OSError:
            return

"""JSON logs on stderr: a line for each request, and a line for everything else.

Request lines are collected and written together, many times a second, so that a busy server
spends one system call on hundreds of lines. A credential appears by its id, never by its secret;
query strings and headers do not appear at all.
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
    """One answered request. `time` is its end, in seconds since 1970 UTC."""

    time: float
    level: str
    event: str
    ray: str
    method: str
    path: str
    status: int
    duration_us: int
    client: str
    credential: str  # "" where none was checked
    zone: str  # "" where it was about none


class AccessLog:
    """Collects request lines and writes them to a file descriptor, and counts the requests."""

    def __init__(self, descriptor: int = 2) -> None:
        self.traffic = Traffic()
        self._descriptor = descriptor
        self._lines: list[_RequestLine] = []
        self._encoder = msgspec.json.Encoder()
        self._timer: asyncio.TimerHandle | None = None

    def add(self, request: Request, status: int) -> None:
        """Log an answered request."""
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
        """Count it; how many microseconds it took."""
        took = (time.perf_counter_ns() - request.started) // 1000
        self.traffic.count(request.route, request.method, status, took)
        return took

    def flush(self) -> None:
        """Write what was collected."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        lines, self._lines = self._lines, []
        if lines:
            _write_all(self._descriptor, self._encoder.encode_lines(lines))


class SilentLog(AccessLog):
    """Logs no requests, for `--no-log-requests`."""

    def add(self, request: Request, status: int) -> None:
        """Only count it."""
        self._count(request, status)


class JSONFormatter(logging.Formatter):
    """Log records of everything else as JSON lines of the same shape."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
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
    """Have warnings written to stderr as JSON lines."""
    handler = logging.StreamHandler()
    handler.setFormatter(JSONFormatter())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def _write_all(descriptor: int, data: bytes) -> None:
    """Write to a descriptor that may be a full pipe: logs are worth waiting for, and a reader
    that is gone is not worth dying for."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except BlockingIOError:
            time.sleep(0.001)
        except OSError:
            return

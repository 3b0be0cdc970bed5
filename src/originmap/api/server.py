"""How uvicorn is run: what it is told, and when it stops."""

import asyncio
import signal
from collections.abc import Callable
from types import FrameType

import uvicorn

GRACE_SECONDS = 10
"""How long requests in flight may take after SIGTERM before they are cut off."""


class HTTPServer(uvicorn.Server):
    """Tells those who wait for changes when it is to stop: it would wait for them."""

    def __init__(self, config: uvicorn.Config, on_exit: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_exit = on_exit
        self._loop = asyncio.get_running_loop()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal while it serves."""
        super().handle_exit(sig, frame)
        self._loop.call_soon_threadsafe(self._on_exit)


def stop_on_signals(server: uvicorn.Server) -> None:
    """Stop on SIGTERM and SIGINT from now on. uvicorn itself catches them only while it serves,
    and raises them again afterwards; stopping is not dying of them."""

    def stop(number: int, frame: object) -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)


async def _no_application(scope: object, receive: object, send: object) -> None:
    """Stands where uvicorn wants an ASGI application, which our protocol does without."""


def server_config(make_protocol: Callable[..., asyncio.Protocol]) -> uvicorn.Config:
    """How uvicorn runs the process: its signals, its sockets and its end; HTTP is ours."""
    return uvicorn.Config(
        _no_application,
        http=make_protocol,  # type: ignore[arg-type]  # a factory where uvicorn names its class
        loop="uvloop",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        workers=1,  # else uvicorn reads WEB_CONCURRENCY
        forwarded_allow_ips="",  # else FORWARDED_ALLOW_IPS
        proxy_headers=False,  # whoever sends X-Forwarded-For would choose the address logged
        timeout_graceful_shutdown=GRACE_SECONDS,
        backlog=2048,
    )

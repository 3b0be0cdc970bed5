"""The configuration and the shutdown of uvicorn."""

import asyncio
import signal
from collections.abc import Callable
from types import FrameType

import uvicorn

GRACE_SECONDS = 10
"""Shutdown timeout: requests still running after SIGTERM are aborted then."""


class HTTPServer(uvicorn.Server):
    """Ends long polls and streams at a shutdown, which would otherwise wait for them."""

    def __init__(self, config: uvicorn.Config, on_exit: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_exit = on_exit
        self._loop = asyncio.get_running_loop()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Handle a signal while serving."""
        super().handle_exit(sig, frame)
        self._loop.call_soon_threadsafe(self._on_exit)


def stop_on_signals(server: uvicorn.Server) -> None:
    """Stop cleanly on SIGTERM and SIGINT from now on. uvicorn itself handles them only while it
    serves, and raises them again afterwards."""

    def stop(number: int, frame: object) -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)


async def _no_application(scope: object, receive: object, send: object) -> None:
    """A placeholder: uvicorn requires an ASGI application, our protocol does not use one."""


def server_config(make_protocol: Callable[..., asyncio.Protocol]) -> uvicorn.Config:
    """The configuration of uvicorn, which handles signals, sockets and shutdown; HTTP is ours."""
    return uvicorn.Config(
        _no_application,
        http=make_protocol,  # type: ignore[arg-type]  # a factory instead of a class
        loop="none",  # the caller has chosen it
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        workers=1,  # otherwise uvicorn reads WEB_CONCURRENCY
        forwarded_allow_ips="",  # otherwise FORWARDED_ALLOW_IPS
        proxy_headers=False,  # clients must not set the logged address with X-Forwarded-For
        timeout_graceful_shutdown=GRACE_SECONDS,
        backlog=2048,
    )

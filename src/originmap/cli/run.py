"""Running a server from the command line: the event loop, and what is printed when it is up."""

import asyncio
import signal
import sys
import threading
from collections.abc import Callable

from originmap.bootstrap_server import Blueprint, serve
from originmap.settings import Settings

try:
    from uvloop import new_event_loop
except ImportError:  # Windows, and Python other than CPython
    new_event_loop = None  # type: ignore[assignment]


def run(settings: Settings, blueprint: Blueprint, on_start: Callable[[str, int], None]) -> None:
    """Serve until told to stop. Raises OriginmapError when the server cannot start."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(serve(settings, blueprint, on_start))


def base_url(host: str, port: int) -> str:
    """The address to give to clients."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def stop_at_end_of_input() -> None:
    """Stop the server, as on SIGTERM, when standard input ends."""

    def wait() -> None:
        while sys.stdin.buffer.read(4096):
            pass
        signal.raise_signal(signal.SIGTERM)

    threading.Thread(target=wait, daemon=True, name="stdin").start()

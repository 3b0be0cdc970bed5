"""Running a server from the command line."""

import signal
import sys
import threading
from collections.abc import Callable

from originmap.bootstrap_server import Blueprint, serve
from originmap.cli.event_loop import run_in_loop
from originmap.settings import Settings


def run(settings: Settings, blueprint: Blueprint, on_start: Callable[[str, int], None]) -> None:
    """Serve until told to stop. Raises OriginmapError when the server cannot start."""
    run_in_loop(serve(settings, blueprint, on_start))


def stop_at_end_of_input() -> None:
    """Stop the server, as on SIGTERM, when standard input ends."""

    def wait() -> None:
        while sys.stdin.buffer.read(4096):
            pass
        signal.raise_signal(signal.SIGTERM)

    threading.Thread(target=wait, daemon=True, name="stdin").start()

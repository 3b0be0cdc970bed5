"""Running a server from the command line: the event loop, and what is printed when it is up."""

import os
from collections.abc import Callable

import uvloop

from originmap.bootstrap import Prepare
from originmap.bootstrap_server import serve
from originmap.settings import Settings


def run(settings: Settings, prepare: Prepare, on_start: Callable[[str, int], None]) -> None:
    """Serve until told to stop. Raises OriginmapError when the server cannot start."""
    _open_standard_streams()
    uvloop.run(serve(settings, prepare, on_start))


def base_url(host: str, port: int) -> str:
    """The address to give to clients."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _open_standard_streams() -> None:
    """Fill closed standard streams with /dev/null: the event loop would take their numbers for
    its own, and aborts when it closes one of them."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one

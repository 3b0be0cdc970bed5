"""Running a server from the command line: the event loop, and what is printed when it is up."""

from collections.abc import Callable

import uvloop

from originmap.bootstrap import Prepare
from originmap.bootstrap_server import serve
from originmap.settings import Settings


def run(settings: Settings, prepare: Prepare, on_start: Callable[[str, int], None]) -> None:
    """Serve until told to stop. Raises OriginmapError when the server cannot start."""
    uvloop.run(serve(settings, prepare, on_start))


def base_url(host: str, port: int) -> str:
    """The address to give to clients."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

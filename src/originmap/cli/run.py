"""Running a server from the command line."""

from collections.abc import Callable

import uvloop

from originmap.bootstrap import Prepare
from originmap.bootstrap_server import serve
from originmap.settings import Settings


def run(settings: Settings, prepare: Prepare, on_start: Callable[[str, int], None]) -> None:
    """Serve until SIGTERM or SIGINT, in an event loop of its own. `on_start` is called with host
    and port once the server listens.

    Raises OriginmapError if the server cannot start.
    """
    uvloop.run(serve(settings, prepare, on_start))

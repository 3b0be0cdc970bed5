"""originmap wait: wait until a server is ready."""

import time

import click

from originmap.cli import options
from originmap.cli.dev.url_option import server_url
from originmap.client.readiness import check_ready
from originmap.client.server import ServerRefused
from originmap.domain.errors import OriginmapError

_PAUSE_SECONDS = 0.05


class NotReady(OriginmapError):
    """The server was not ready in time."""

    hint = "check that it runs, and --url; --timeout waits longer"


@click.command("wait")
@server_url("Server to wait for.")
@options.duration("--timeout", "30s", "How long to wait.")
def command(url: str, timeout: float) -> None:
    """Wait until a server is ready; exit status 0 means that it is.

    Example: originmap wait --timeout 10s
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            check_ready(url)
        except ServerRefused as problem:
            if time.monotonic() > deadline:
                text = f"{url} was not ready within {timeout:g} s: {problem}"
                raise NotReady(text) from None
            time.sleep(_PAUSE_SECONDS)
        else:
            return

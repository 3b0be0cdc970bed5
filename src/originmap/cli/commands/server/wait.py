"""originmap wait: wait until a server is ready."""

import http.client
import time
from urllib.parse import urlsplit

import click

from originmap.cli import options
from originmap.cli.dev.url_option import server_url
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
    while problem := _problem(url):
        if time.monotonic() > deadline:
            raise NotReady(f"{url} was not ready within {timeout:g} s: {problem}")
        time.sleep(_PAUSE_SECONDS)


def _problem(url: str) -> str:
    """Why a server is not ready; "" if it is."""
    address = urlsplit(url)
    secure = address.scheme == "https"
    connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = connect(address.hostname or "", address.port, timeout=5)
    try:
        connection.request("GET", f"{address.path.rstrip('/')}/readyz")
        response = connection.getresponse()
        response.read()
    except (OSError, http.client.HTTPException) as error:
        return str(error)
    finally:
        connection.close()
    return "" if response.status == 200 else f"status {response.status}"

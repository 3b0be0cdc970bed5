"""originmap health: the health check of containers and load balancers."""

import click

from originmap.cli import option_types
from originmap.cli.listen_address import base_url
from originmap.client.readiness import check_ready
from originmap.settings import default_of

_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (what a server listens on)


@click.command("health")
@click.option(
    "--host",
    default=default_of("host"),
    show_default=True,
    help="Address that the server listens on.",
    envvar="ORIGINMAP_HOST",
)
@click.option(
    "--port",
    default=default_of("port"),
    show_default=True,
    type=option_types.Whole(1, 65_535),
    help="Port that the server listens on.",
    envvar="ORIGINMAP_PORT",
)
def command(host: str, port: int) -> None:
    """Check that a server is ready; exit status 0 means healthy.

    It asks GET /readyz of a server on this machine, and needs no token. ORIGINMAP_HOST and
    ORIGINMAP_PORT are those of the server, so that a container sets them for both. The exit status
    is 1 if the server cannot be reached, cannot commit writes, is stopping, or is a replica that
    has no copy yet.

    Example: originmap health --port 8787
    """
    check_ready(base_url(_LOOPBACK.get(host, host), port))
    click.echo("ready")

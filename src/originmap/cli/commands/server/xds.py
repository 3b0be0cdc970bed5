"""originmap xds: Envoy's discovery services from a process of their own."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from originmap.bootstrap_edge import make_state_folder
from originmap.bootstrap_server import Blueprint
from originmap.cli import listen_address, options
from originmap.cli.listen_address import base_url
from originmap.cli.run import run
from originmap.outbound.errors import UnusableEnvironment
from originmap.service import initial_data
from originmap.settings import Settings

_ADDRESS = "127.0.0.1:18000"


@click.command("xds")
@options.follow(Settings)
@listen_address.xds(_ADDRESS)
@options.state("Folder for the copy of the server's data.", "xds")
@listen_address.host
@listen_address.port
@options.metrics
@options.log_requests
def command(follow: str, token_file: Path | None, state: str | None, xds: str, **rest: Any) -> None:
    """Serve Envoy's discovery services from a process of their own.

    The process is a replica of the server at --follow, and passes the reports of its nodes on to
    it. While that server is down, it serves the last data. Its token is one for replicas, because
    the process checks the tokens of the nodes. Health checks and metrics are at --host and
    --port.

    Nodes, certificates and limits: docs/envoy.md.

    Example: originmap xds --follow https://originmap.example.net --xds 0.0.0.0:18000
    """
    if not follow:
        raise click.UsageError("--follow is missing: give the URL of the server")
    if state is None:
        raise UnusableEnvironment(
            "HOME",
            "this user has no home folder to keep the data in",
            "set XDG_STATE_HOME, or give --state FOLDER",
        )
    listen_address.check_certificates(rest["xds_cert"], rest["xds_key"], rest["xds_client_ca"])
    token = options.token(token_file)
    db = str(make_state_folder(state) / "replica.db")
    settings = Settings(follow=follow, token=token, db=db, xds=xds, ui=False, **rest)
    run(settings, Blueprint(initial_data.prepare_to_serve), partial(_started, settings))


def _started(settings: Settings, host: str, port: int) -> None:
    health = base_url(host, port)
    click.echo(f"Originmap xDS on {settings.xds} follows {settings.follow} (health: {health})")

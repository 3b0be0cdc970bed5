"""originmap serve: the production server."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from originmap import databases
from originmap.bootstrap_server import Blueprint
from originmap.cli import options
from originmap.cli.listen_address import base_url
from originmap.cli.run import run
from originmap.service import initial_data
from originmap.settings import Settings


@click.command("serve")
@options.host
@options.port
@options.db
@options.colo
@options.enable_v1(default=False)
@options.own_vendors
@options.rate_limit
@options.ranges
@options.follow(Settings)
@options.history
@options.metrics
@options.ui
@options.log_requests
def command(
    host: str,
    port: int,
    db: str,
    colo: str,
    enable_v1: bool,
    rate_limit: str,
    ranges: str,
    follow: str,
    token_file: Path | None,
    **rest: Any,
) -> None:
    """Start a production server.

    It has no credentials except the ones that you create with originmap token create, before it
    starts or while it runs. It refuses a database of originmap dev.

    The server creates a database file that does not exist; the folder must exist. With --follow the
    server is a replica of the primary at that URL, and other replicas can follow it:
    docs/replicas.md.

    The server reads the published IP ranges when it starts and when a file changes. Settings,
    environment variables and rate limits: docs/settings.md.

    Example: originmap serve --db /var/lib/originmap/originmap.db
    """
    settings = Settings(
        host=host,
        port=port,
        db=db,
        colo=colo,
        enable_v1=enable_v1,
        rate_limit=rate_limit,
        ranges=ranges,
        follow=follow,
        token=options.token(token_file, follow) if follow else "",
        **rest,
    )
    run(settings, Blueprint(initial_data.prepare_to_serve), partial(_started, db))


def _started(db: str, host: str, port: int) -> None:
    click.echo(f"Originmap {base_url(host, port)}/client/v4 (data in {databases.shown(db)})")

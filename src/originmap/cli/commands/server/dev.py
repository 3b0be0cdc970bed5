"""originmap dev: the development server."""

import json
import sys
from functools import partial
from typing import Any

import click

from originmap import databases
from originmap.bootstrap_dev import DevServer
from originmap.cli import listen_address, options
from originmap.cli.dev.dev_options import DevOptions, dev_options
from originmap.cli.dev.well_known import access_to
from originmap.cli.listen_address import base_url, is_loopback
from originmap.cli.run import run, stop_at_end_of_input
from originmap.domain.errors import StoreUnusable
from originmap.service import initial_data
from originmap.settings import Settings, state_folder

_UNWRITABLE = "set XDG_STATE_HOME to a folder that this user may write, or give --db PATH"
_WELCOME = """\
Originmap {url}/client/v4 (data in {db}; stop with Ctrl-C)

  curl -X PUT {url}/client/v4/zones/{zone}/origin/cloud_regions/192.0.2.1 \\
    -H 'Authorization: Bearer {token}' \\
    -d '{{"origin_ip":"192.0.2.1","vendor":"aws","region":"us-east-1"}}'

  curl {url}/client/v4/zones/{zone}/origin/cloud_regions/192.0.2.1 \\
    -H 'Authorization: Bearer {token}'
"""


@click.command("dev")
@listen_address.host
@listen_address.port
@click.option(
    "--db",
    metavar="PATH",
    callback=options.checked_db,
    show_default="dev.db in the user's state folder",
    help="Database file; :memory: stores nothing on disk.",
)
@options.enable_v1(default=True)
@options.own_vendors
@options.rate_limit
@options.ranges
@options.private_hooks(default=True)
@listen_address.xds()
@options.metrics
@options.ui
@options.log_requests
@dev_options
@click.option(
    "--i-know-this-is-open",
    is_flag=True,
    help="Allow a --host that other machines can reach, although the credentials are public.",
)
def command(
    host: str, db: str | None, i_know_this_is_open: bool, testing: DevOptions, **values: Any
) -> None:
    """Start a development server with well-known credentials.

    The examples of Cloudflare's API reference run against it once their base URL is replaced.
    The server has an account, the zone 023e105f4ecef8ad9ca31a8372d0c353 (example.com), the token
    Sn3lZJTBX6kkg7OdcBUAxOO963GEIyGQqnFTOFYY and the key 144c9defac04969c7bfad8efaa8ea194 of
    user@example.com. When it is ready it prints its base URL and two commands to copy; with
    --port 0, which picks a free port, a line of JSON with the URL, the port and the credentials.

    Tests control it under /originmap/dev/v1: faults, the clock, the requests it got, its state.
    See docs/testing.md.

    It refuses a database of originmap serve. It does not slow down callers that send invalid
    credentials, because tests do that on purpose.

    Example: originmap dev --port 9000 --db :memory:
    """
    if not i_know_this_is_open:
        _refuse_beyond_loopback(host)
    listen_address.check_certificates(
        values["xds_cert"], values["xds_key"], values["xds_client_ca"]
    )
    # Tests send bad credentials on purpose.
    settings = Settings(host=host, db=_database(db, testing), slow_guessing=False, **values)
    if testing.detach:
        _detach()
    else:
        _serve(settings, testing)


def _serve(settings: Settings, testing: DevOptions) -> None:
    if testing.stop_on_eof:
        stop_at_end_of_input()
    server = DevServer(
        testing.state, strict=testing.strict, fidelity=testing.fidelity, journal=testing.journal
    )
    on_start = partial(_welcome, settings.db) if settings.port else _announce
    run(settings, server.blueprint, on_start)


def _detach() -> None:
    from originmap.cli.dev import detached  # its HTTP client takes a while to load

    server = detached.start([a for a in sys.argv[1:] if a != "--detach"])
    click.echo(f"{server.url}/client/v4 (log: {server.log})")


def _welcome(db: str, host: str, port: int) -> None:
    url, db = base_url(host, port), databases.shown(db)
    click.echo(
        _WELCOME.format(url=url, db=db, zone=initial_data.DEV_ID, token=initial_data.DEV_TOKEN)
    )


def _announce(host: str, port: int) -> None:
    """Print what programs need to use the server, as a line of JSON."""
    click.echo(json.dumps(access_to(base_url(host, port))._asdict()))


def _database(db: str | None, testing: DevOptions) -> str:
    if testing.state is None:
        return _default_db() if db is None else db
    if db not in (None, databases.MEMORY):
        raise click.UsageError(
            f"--state would replace everything in {databases.shown(db or '')}: leave --db out"
        )
    return databases.MEMORY


def _refuse_beyond_loopback(host: str) -> None:
    if not is_loopback(host):
        raise click.UsageError(
            f"{host} can be reached from other machines, and the credentials are public for "
            "originmap dev.\nListen on 127.0.0.1, use originmap serve, or add "
            "--i-know-this-is-open."
        )


def _default_db() -> str:
    folder = state_folder()
    if folder is None:
        click.echo(
            "originmap: this user has no home folder, so nothing is kept\n"
            "  set XDG_STATE_HOME, or give --db PATH, to keep the data",
            err=True,
        )
        return databases.MEMORY
    db = str(folder / "dev.db")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreUnusable(db, reason, _UNWRITABLE) from error
    return db

"""originmap topology: show and change the colos of the operator's network."""

from pathlib import Path
from typing import Any

import click
import msgspec

from originmap.cli import options
from originmap.cli.output.table import print_table
from originmap.cli.server_options import server
from originmap.cli.topology_file import read_topology
from originmap.client.server import NATIVE, Server
from originmap.domain.tier.topology import ColoState

_PATH = NATIVE + "/topology"


@click.group("topology")
def command() -> None:
    """Show and change the colos of your network."""


@command.command("show")
@server
@options.as_json
def show(server: Server, as_json: bool) -> None:
    """Print the topology in force; as JSON it is what topology set takes.

    Example: originmap topology show --json --db originmap.db
    """
    topology = server.ask("GET", _PATH)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(topology), indent=2))
    else:
        _print(topology)


@command.command("set")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@server
def set_(file: Path, server: Server) -> None:
    """Replace the topology by the one in FILE, as topology show --json prints it.

    Example: originmap topology set topology.json --db originmap.db
    """
    changed = server.ask("PUT", _PATH, body=read_topology(file))
    click.echo(f"{len(changed['colos'])} colos are in force", err=True)


def _set_state(server: Server, codes: tuple[str, ...], state: ColoState) -> None:
    states = dict.fromkeys((code.upper() for code in codes), state)
    server.ask("PATCH", _PATH, body={"states": states})
    click.echo(f"{' '.join(code.upper() for code in codes)}: {state}", err=True)


@command.command("drain")
@click.argument("codes", metavar="CODE...", nargs=-1, required=True)
@server
def drain(codes: tuple[str, ...], server: Server) -> None:
    """Choose these colos only where no active one is left.

    Example: originmap topology drain IAD --db originmap.db
    """
    _set_state(server, codes, ColoState.DRAINING)


@command.command("activate")
@click.argument("codes", metavar="CODE...", nargs=-1, required=True)
@server
def activate(codes: tuple[str, ...], server: Server) -> None:
    """Choose these colos again.

    Example: originmap topology activate IAD --db originmap.db
    """
    _set_state(server, codes, ColoState.ACTIVE)


@command.command("down")
@click.argument("codes", metavar="CODE...", nargs=-1, required=True)
@server
def down(codes: tuple[str, ...], server: Server) -> None:
    """Do not choose these colos at all.

    Example: originmap topology down IAD --db originmap.db
    """
    _set_state(server, codes, ColoState.DOWN)


def _print(topology: dict[str, Any]) -> None:
    rows = [
        colo | {"upper_tier": "yes" if colo["eligible"] else "no"} for colo in topology["colos"]
    ]
    print_table(rows, ("code", "city", "country", "latitude", "longitude", "upper_tier", "state"))
    for region, codes in sorted(topology["overrides"].items()):
        click.echo(f"override {region}: {' '.join(codes)}")
    click.echo(
        f"fallbacks: {topology['fallbacks']}, at least {topology['apart_km']:g} km apart; "
        f"latencies count for {topology['latency_seconds']} s"
    )

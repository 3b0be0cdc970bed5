"""originmap topology: show and change the colos of the operator's network."""

from pathlib import Path
from typing import Any

import click

from originmap.cli import options
from originmap.cli.output.table import print_object, print_table
from originmap.cli.server_options import server
from originmap.cli.topology_file import read_topology
from originmap.client.server import NATIVE, APIServer
from originmap.domain.tier.topology import ColoState

_PATH = NATIVE + "/topology"


@click.group("topology")
def command() -> None:
    """Show and change the colos of your network."""


@command.command("show")
@server
@options.as_json
def show(server: APIServer, as_json: bool) -> None:
    """Print the current topology.

    The output of --json is the input of originmap topology set.

    Example: originmap topology show --json --db originmap.db
    """
    topology = server.ask("GET", _PATH)
    if as_json:
        print_object(topology)
    else:
        _print(topology)


@command.command("set")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@server
def set_(file: Path, server: APIServer) -> None:
    """Replace the topology by the one in a file.

    FILE has the form that originmap topology show prints as JSON. A file with unknown members or
    other problems is refused; the error lists all of them.

    Example: originmap topology set topology.json --db originmap.db
    """
    changed = server.ask("PUT", _PATH, body=read_topology(file))
    count = len(changed["colos"])
    click.echo(f"the topology has {count} colo{'s' * (count != 1)} now", err=True)


def _set_state(server: APIServer, codes: tuple[str, ...], state: ColoState) -> None:
    states = dict.fromkeys((code.upper() for code in codes), state)
    server.ask("PATCH", _PATH, body={"states": states})
    click.echo(f"{' '.join(code.upper() for code in codes)}: {state}", err=True)


@command.command("drain")
@click.argument("codes", metavar="CODE...", nargs=-1, required=True)
@server
def drain(codes: tuple[str, ...], server: APIServer) -> None:
    """Drain colos.

    Origins move to other upper tiers. A draining colo is chosen only if no active colo is left.
    originmap whatif prints the origins that would move.

    Example: originmap topology drain IAD --db originmap.db
    """
    _set_state(server, codes, ColoState.DRAINING)


@command.command("activate")
@click.argument("codes", metavar="CODE...", nargs=-1, required=True)
@server
def activate(codes: tuple[str, ...], server: APIServer) -> None:
    """Put colos back into service.

    An active colo can be chosen as an upper tier again.

    Example: originmap topology activate IAD --db originmap.db
    """
    _set_state(server, codes, ColoState.ACTIVE)


@command.command("down")
@click.argument("codes", metavar="CODE...", nargs=-1, required=True)
@server
def down(codes: tuple[str, ...], server: APIServer) -> None:
    """Take colos out of service.

    A colo that is down is never chosen. The change is refused if no colo would be left to choose.

    Example: originmap topology down IAD --db originmap.db
    """
    _set_state(server, codes, ColoState.DOWN)


@command.command("rebalance")
@click.option("--dry-run", is_flag=True, help="Only print the number of cold-cache moves.")
@server
def rebalance(server: APIServer, dry_run: bool) -> None:
    """Count the origins of each region again.

    The maximum shares of colos (max_share) use these numbers, which are otherwise counted when a
    topology without them is set. Origins can move to other upper tiers.

    Example: originmap topology rebalance --dry-run --db originmap.db
    """
    topology = server.ask("GET", _PATH) | {"origins": {}}
    moves = server.ask("POST", NATIVE + "/whatif", body={"topology": topology})
    moved, cold = moves["moved_origins"], moves["cold_origins"]
    if not dry_run:
        server.ask("PUT", _PATH, body=topology)
    verb = "would move" if dry_run else "moved"
    plural = "origin" if moved == 1 else "origins"
    click.echo(f"{moved} {plural} {verb} to other upper tiers or fallbacks; {cold} cold", err=True)


def _print(topology: dict[str, Any]) -> None:
    rows = [
        colo
        | {"upper_tier": "yes" if colo["eligible"] else "no"}
        | {"caches": len(colo["caches"]) or ""}
        for colo in topology["colos"]
    ]
    columns = ["code", "city", "country", "latitude", "longitude", "upper_tier", "state"]
    columns += ["caches"] if any(row["caches"] for row in rows) else []
    print_table(rows, tuple(columns))
    for name in ("overrides", "hubs"):
        for region, codes in sorted(topology[name].items()):
            click.echo(f"{name.removesuffix('s')} {region}: {' '.join(codes)}")
    if topology["cache_template"]:
        click.echo(f"colos without caches: {topology['cache_template']}")
    if topology["generic"] == "hash":
        pool = " ".join(topology["generic_pool"]) or "all eligible colos"
        click.echo(f"generic tier by hash over: {pool}")
    click.echo(
        f"fallbacks: {topology['fallbacks']}, at least {topology['apart_km']:g} km apart; "
        f"latencies count for {topology['latency_seconds']} s"
    )

"""originmap whatif: what would move if colos changed their state."""

from pathlib import Path
from typing import Any

import click

from originmap.cli import options
from originmap.cli.output.table import print_object, print_table
from originmap.cli.server_options import server
from originmap.cli.topology_file import read_topology
from originmap.client.server import CLOUDFLARE, NATIVE, APIServer, pages
from originmap.domain.tier.topology import ColoState


@click.command("whatif")
@click.option(
    "--drain", multiple=True, metavar="CODE", help="Colo to treat as draining; repeatable."
)
@click.option("--down", multiple=True, metavar="CODE", help="Colo to treat as down; repeatable.")
@click.option(
    "--activate", multiple=True, metavar="CODE", help="Colo to treat as active; repeatable."
)
@click.option(
    "--topology",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Topology to try instead, in the form of topology show --json.",
)
@server
@options.as_json
def command(
    drain: tuple[str, ...],
    down: tuple[str, ...],
    activate: tuple[str, ...],
    file: Path | None,
    server: APIServer,
    as_json: bool,
) -> None:
    """Print the origins that would move if colos changed state.

    A row has the origins of a region, or of a pool, that would get another upper tier or other
    fallbacks; those with another upper tier start with a cold cache. With a topology that changes
    caches or hubs, also prints the share of URLs that would move to another cache, and the nodes
    that would get another hub. The command changes nothing.

    Example: originmap whatif --drain IAD --db originmap.db
    """
    states = {
        code.upper(): state
        for codes, state in (
            (drain, ColoState.DRAINING),
            (down, ColoState.DOWN),
            (activate, ColoState.ACTIVE),
        )
        for code in codes
    }
    if bool(states) == (file is not None):
        raise click.UsageError(
            "say what would change: --drain, --down or --activate CODE, or --topology FILE"
        )
    question = {"states": states} if file is None else {"topology": read_topology(file)}
    found = server.ask("POST", NATIVE + "/whatif", body=question)
    if as_json:
        print_object(found)
        return
    zones = pages(server, CLOUDFLARE + "/zones") if found["moves"] else ()
    _print(found, {zone["id"]: zone["name"] for zone in zones})


def _origins(move: dict[str, Any]) -> str:
    """The region or the pool of a move."""
    return f"pool {move['pool']}" if move["pool"] else f"{move['vendor']} {move['region']}"


def _print(found: dict[str, Any], names: dict[str, str]) -> None:
    rows = [
        {
            "zone": names.get(move["zone_id"], move["zone_id"]),
            "region": _origins(move),
            "origins": move["origins"],
            "now": move["before"],
            "then": move["after"],
            "starts_cold": "yes" if move["cold"] else "no",
        }
        for move in found["moves"]
    ]
    if rows:
        print_table(rows, ("zone", "region", "origins", "now", "then", "starts_cold"))
    cold = found["cold_origins"]
    click.echo(f"{cold} origin{'s' * (cold != 1)} would move to another upper tier")
    for move in found["urls"]:
        click.echo(f"{move['colo']}: {move['share']:.1%} of URLs would move to another cache")
    for move in found["regional_hubs"]:
        hubs = (move[name] or "none" for name in ("before", "after"))
        click.echo(f"{move['colo']}: regional hub {' -> '.join(hubs)}")

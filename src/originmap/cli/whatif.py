"""originmap whatif: what would move if colos changed their state."""

import click
import msgspec

from originmap.cli import options
from originmap.cli.administer import administer, print_json, print_table
from originmap.domain.topology import ColoState
from originmap.domain.whatif import Move
from originmap.service.operate.topology import WhatIf
from originmap.service.operate.zones import ListZones


@click.command("whatif")
@click.option("--drain", multiple=True, metavar="CODE", help="If this colo were draining.")
@click.option("--down", multiple=True, metavar="CODE", help="If this colo were down.")
@click.option("--activate", multiple=True, metavar="CODE", help="If this colo were active.")
@options.db
@options.as_json
def command(
    drain: tuple[str, ...],
    down: tuple[str, ...],
    activate: tuple[str, ...],
    db: str,
    as_json: bool,
) -> None:
    """Print which origins would move to another upper tier: the cache misses to expect.

    Changes nothing.

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
    if not states:
        raise click.UsageError("say what would change: --drain, --down or --activate CODE")
    rows = administer(db, WhatIf(states))
    moves = msgspec.convert(rows, list[Move])
    if as_json:
        print_json([row | {"cold": move.cold} for row, move in zip(rows, moves, strict=True)])
        return
    names = {zone["id"]: zone["name"] for zone in administer(db, ListZones())}
    _print(moves, names)


def _print(moves: list[Move], names: dict[str, str]) -> None:
    rows = [
        {
            "zone": names.get(move.zone_id, move.zone_id),
            "region": " ".join(move.place),
            "origins": move.origins,
            "now": " ".join(move.before),
            "then": " ".join(move.after),
            "starts_cold": "yes" if move.cold else "no",
        }
        for move in moves
    ]
    if rows:
        print_table(rows, ("zone", "region", "origins", "now", "then", "starts_cold"))
    cold = sum(move.origins for move in moves if move.cold)
    click.echo(f"{cold} origins would fill from another upper tier")

"""originmap resolve: where the origins of a zone are filled from."""

from typing import Any

import click

from originmap.cli import options
from originmap.cli.administer import administer, print_json, print_table
from originmap.service.operate.origins import ResolveOrigins


@click.command("resolve")
@click.argument("zone")
@click.argument("ips", metavar="IP...", nargs=-1, required=True)
@click.option("--pool", is_flag=True, help="One upper tier for all addresses together.")
@click.option("--explain", is_flag=True, help="Print the whole ranking of colos too.")
@options.db
@options.as_json
def command(
    zone: str, ips: tuple[str, ...], pool: bool, explain: bool, db: str, as_json: bool
) -> None:
    """Print the upper tier and the fallbacks of origins in ZONE, an id or a name, and why.

    Example: originmap resolve example.com 192.0.2.1 --explain --db originmap.db
    """
    rows = administer(db, ResolveOrigins(zone, list(ips), pool))
    if as_json:
        print_json(rows)
        return
    print_table([_readable(row) for row in rows], ("origin", "mode", "fill_from", "then", "why"))
    if explain:
        for row in rows:
            _print_ranking(row)


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    resolution = row["resolution"]
    tier = resolution["tier"]
    codes = [ranked["colo"]["code"] for ranked in tier["chosen"]] if tier else []
    fill_from = {"hint": codes[:1], "generic": ["any colo"], "off": ["the origin"]}
    return {
        "origin": row["origin_ips"],
        "mode": resolution["mode"],
        "fill_from": fill_from[resolution["mode"]],
        "then": codes[1:] or "-",
        "why": resolution["reason"],
    }


def _print_ranking(row: dict[str, Any]) -> None:
    tier = row["resolution"]["tier"]
    if not tier:
        return
    click.echo(f"\n{' '.join(row['origin_ips'])}")
    ranking = [
        {
            "rank": number,
            "colo": ranked["colo"]["code"],
            "city": ranked["colo"]["city"],
            "state": ranked["colo"]["state"],
            "by": ranked["basis"],
            "km": f"{ranked['distance_km']:.0f}",
            "ms": "-" if ranked["latency_ms"] is None else f"{ranked['latency_ms']:g}",
        }
        for number, ranked in enumerate(tier["ranking"], 1)
    ]
    print_table(ranking, ("rank", "colo", "city", "state", "by", "km", "ms"))

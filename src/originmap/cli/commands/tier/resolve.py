"""originmap resolve: the upper tier and the fallbacks of origins."""

from collections.abc import Iterator, Sequence
from typing import Any

import click

from originmap.cli import options
from originmap.cli.output.table import print_json, print_table
from originmap.cli.server_options import server
from originmap.client.server import NATIVE, APIServer, of_zone

_UNKNOWN = {"trafficserver": "unknown, because it hashes the URL after remap"}
_MOST = 100
"""Addresses that a server resolves at once."""


@click.command("resolve")
@click.argument("zone")
@click.argument("ips", metavar="IP...", nargs=-1, required=True)
@click.option("--pool", is_flag=True, help="Choose one upper tier for all addresses together.")
@click.option("--colo", metavar="CODE", help="Also print what a node in this colo fills from.")
@click.option("--url", "owned_url", metavar="URL", help="Also print the cache that owns this URL.")
@click.option("--explain", is_flag=True, help="Also print the ranking of all colos.")
@server
@options.as_json
def command(
    zone: str,
    ips: tuple[str, ...],
    pool: bool,
    explain: bool,
    colo: str | None,
    owned_url: str | None,
    server: APIServer,
    as_json: bool,
) -> None:
    """Print the upper tier and the fallbacks of origins.

    Each row has the reason for the choice. ZONE is an ID or a name. How upper tiers are chosen:
    docs/topology.md. With --url, the owner is printed for each cache software, because each has its
    own hash; "unknown" if it cannot be computed.

    Example: originmap resolve example.com 192.0.2.1 --explain --db originmap.db
    """
    query = [("pool", "true")] * pool + [("explain", "true")] * explain
    query += [
        (name, value) for name, value in (("colo", colo), ("url", owned_url)) if value is not None
    ]
    rows = list(_resolved(server, zone, ips, query, pool=pool))
    if as_json:
        print_json(rows)
        return
    print_table([_readable(row) for row in rows], ("origin", "mode", "fill_from", "then", "why"))
    if colo is not None or owned_url is not None:
        click.echo()
        for row in rows:
            _print_fill(row, colo)
    if explain:
        colos = server.ask("GET", NATIVE + "/topology")["colos"]
        cities = {colo["code"]: colo["city"] for colo in colos}
        for row in rows:
            _print_ranking(row, cities)


def _resolved(
    server: APIServer,
    zone: str,
    ips: tuple[str, ...],
    options: Sequence[tuple[str, str]],
    *,
    pool: bool,
) -> Iterator[dict[str, object]]:
    """The origins, asked for in as many requests as they need: a pool is one."""
    path = of_zone(zone, "resolve")
    for some in [ips] if pool else [ips[i : i + _MOST] for i in range(0, len(ips), _MOST)]:
        found = server.ask("GET", path, [*(("ip", ip) for ip in some), *options])
        for origin in found["origins"]:
            ips_of = origin.pop("origin_ips", None) or [origin.pop("origin_ip")]
            yield {"origin_ips": ips_of, "revision": found["revision"], **origin}


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    codes = row["upper_tier_colos"]
    fill_from = {"hint": codes[:1], "generic": ["any colo"], "off": ["the origin"]}
    return {
        "origin": row["origin_ips"],
        "mode": row["mode"],
        "fill_from": fill_from[row["mode"]],
        "then": [each["colo"] for each in row["fallbacks"]] or "-",
        "why": row["reason"],
    }


def _print_fill(row: dict[str, Any], colo: str | None) -> None:
    chain = " -> ".join(row["chain"]) or "the origin itself"
    hub = f" (regional hub {row['regional_hub']})" if row["regional_hub"] else ""
    node = f"a node in {colo.upper()}" if colo else "a node without a colo"
    click.echo(f"{' '.join(row['origin_ips'])}: {node} fills from {chain}{hub}")
    for software, cache in row.get("owners", {}).items():
        click.echo(f"  {software}: {cache or _UNKNOWN.get(software, 'unknown')}")


def _print_ranking(row: dict[str, Any], cities: dict[str, str]) -> None:
    if "ranking" not in row:
        return
    click.echo(f"\n{' '.join(row['origin_ips'])}")
    ranking = [
        {
            "rank": number,
            "colo": ranked["colo"],
            "city": cities.get(ranked["colo"], "-"),
            "state": ranked["state"],
            "by": ranked["basis"],
            "km": f"{ranked['distance_km']:.0f}",
            "ms": "-" if ranked["latency_ms"] is None else f"{ranked['latency_ms']:g}",
        }
        for number, ranked in enumerate(row["ranking"], 1)
    ]
    print_table(ranking, ("rank", "colo", "city", "state", "by", "km", "ms"))

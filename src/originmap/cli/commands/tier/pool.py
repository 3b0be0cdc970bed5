"""originmap pool: the load-balancing pools of a zone."""

from typing import Any

import click

from originmap.cli import options
from originmap.cli.output.table import print_json, print_table
from originmap.cli.server_options import server
from originmap.client.server import APIServer, ServerRefused, of_zone
from originmap.domain.mapping import address as addresses


@click.group("pool")
def command() -> None:
    """List, set and remove the load-balancing pools of a zone.

    The origins of a pool share one upper tier.
    """


@command.command("list")
@click.argument("zone")
@server
@options.as_json
def list_(zone: str, server: APIServer, as_json: bool) -> None:
    """List the pools of a zone with their members.

    ZONE is an ID or a name.

    Example: originmap pool list example.com --db originmap.db
    """
    pools = _pools(server, zone)
    if as_json:
        print_json(pools)
    else:
        print_table(pools, ("name", "members"))


@command.command("set")
@click.argument("zone")
@click.argument("name")
@click.argument("ips", metavar="IP...", nargs=-1, required=True)
@server
def set_(zone: str, name: str, ips: tuple[str, ...], server: APIServer) -> None:
    """Create a pool, or replace the members of one.

    An address can be in one pool of a zone. Members without a mapping do not count in the choice of
    the upper tier, but fill through it too. Other pools do not change.

    Example: originmap pool set example.com web 192.0.2.1 192.0.2.2 --db originmap.db
    """
    members = [addresses.text(addresses.parse(ip)) for ip in ips]
    rest = [pool for pool in _pools(server, zone) if pool["name"] != name]
    _replace(server, zone, [*rest, {"name": name, "members": members}])
    click.echo(f"pool {name}: {len(members)} origin{'s' * (len(members) != 1)}", err=True)


@command.command("remove")
@click.argument("zone")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@server
def remove(zone: str, names: tuple[str, ...], server: APIServer) -> None:
    """Remove pools.

    Their origins get the upper tiers of their own regions again. Mappings do not change. If a pool
    does not exist, none is removed.

    Example: originmap pool remove example.com web --db originmap.db
    """
    pools = _pools(server, zone)
    missing = sorted(set(names) - {pool["name"] for pool in pools})
    if missing:
        text = f"zone {zone} has no pool {', '.join(missing)}: nothing was removed"
        raise ServerRefused(text, f"run originmap pool list {zone} to see all pools")
    _replace(server, zone, [pool for pool in pools if pool["name"] not in names])
    click.echo(f"removed: {' '.join(names)}", err=True)


def _pools(server: APIServer, zone: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.ask("GET", of_zone(zone, "pools"))["pools"]
    return found


def _replace(server: APIServer, zone: str, pools: list[dict[str, Any]]) -> None:
    server.ask("PUT", of_zone(zone, "pools"), body={"pools": pools})

"""originmap zone: make and list zones."""

import click

from originmap.cli import options
from originmap.cli.administer import administer, print_json, print_table
from originmap.service.operate.zones import CreateZone, ListZones


@click.group("zone")
def command() -> None:
    """Make and list zones."""


@command.command("create")
@click.argument("name")
@options.db
@options.as_json
def create(name: str, db: str, as_json: bool) -> None:
    """Add the zone NAME, a domain like example.com, and print its id.

    Example: originmap zone create example.com --db originmap.db
    """
    rows = administer(db, CreateZone(name), new=True)
    if as_json:
        print_json(rows)
    else:
        click.echo(rows[0]["id"])


@command.command("list")
@options.db
@options.as_json
def list_(db: str, as_json: bool) -> None:
    """List all zones.

    Example: originmap zone list --db originmap.db
    """
    rows = administer(db, ListZones())
    if as_json:
        print_json(rows)
    else:
        print_table(rows, ("id", "name"))

"""originmap history: how a zone's mappings changed."""

import click

from originmap.cli import numbers, options
from originmap.cli.administer import administer, print_json, print_table
from originmap.cli.changed import moment, shown
from originmap.service.operate.history import ListHistory


@click.command("history")
@click.argument("zone")
@options.db
@click.option("--ip", help="Only changes of this address.")
@click.option(
    "--limit", default=50, show_default=True, type=numbers.Whole(1, 10_000), help="How many."
)
@options.as_json
def command(zone: str, db: str, ip: str | None, limit: int, as_json: bool) -> None:
    """Print the changes of a zone's mappings, newest first, each with its revision.

    Example: originmap history example.com --ip 192.0.2.1 --db originmap.db
    """
    rows = administer(db, ListHistory(zone, limit, ip))
    if as_json:
        print_json(rows)
        return
    columns = ("revision", "when", "who", "from", "origin_ip", "before", "after")
    table = [shown(row) | {"when": moment(row["at"]), "from": row["from"] or "-"} for row in rows]
    print_table(table, columns)

"""originmap diff: how a zone's mappings differ between two revisions."""

import click

from originmap.cli import numbers, options
from originmap.cli.administer import administer, print_json, print_table
from originmap.cli.changed import shown
from originmap.service.operate.history import Diff


@click.command("diff")
@click.argument("zone")
@click.argument("since", type=numbers.REVISION)
@click.argument("until", type=numbers.REVISION, required=False)
@options.db
@options.as_json
def command(zone: str, since: int, until: int | None, db: str, as_json: bool) -> None:
    """Print how a zone's mappings differ between revision SINCE and revision UNTIL, or now.

    Example: originmap diff example.com 41 --db originmap.db
    """
    rows = administer(db, Diff(zone, since, until))
    if as_json:
        print_json(rows)
    elif rows:
        print_table([shown(row) for row in rows], ("origin_ip", "before", "after"))
    else:
        click.echo("no difference")

"""originmap rollback: make a zone's mappings what they were."""

import click

from originmap.cli import numbers, options
from originmap.cli.administer import administer, print_json, print_table
from originmap.cli.changed import shown
from originmap.service.operate.history import RollbackZone

_COLUMNS = ("origin_ip", "before", "after")


@click.command("rollback")
@click.argument("zone")
@click.option("--to", required=True, type=numbers.REVISION, help="The revision to go back to.")
@options.db
@click.option("--dry-run", is_flag=True, help="Only print what would change.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@options.as_json
def command(zone: str, to: int, db: str, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Make a zone's mappings what they were at a revision, all at once.

    That is a change like any other: rolling back to the revision before it undoes it.

    Example: originmap rollback example.com --to 41 --dry-run --db originmap.db
    """
    if not (dry_run or yes):
        would = administer(db, RollbackZone(zone, to, dry_run=True))
        if would:
            print_table([shown(row) for row in would], _COLUMNS, err=True)
            click.confirm(f"Make these {len(would)} changes?", abort=True, err=True)
    rows = administer(db, RollbackZone(zone, to, dry_run))
    if as_json:
        print_json(rows)
    elif not rows:
        click.echo(f"nothing to do: the mappings are those of revision {to}")
    else:
        if dry_run or yes:
            print_table([shown(row) for row in rows], _COLUMNS)
        if not dry_run:
            click.echo(f"{len(rows)} changes made")

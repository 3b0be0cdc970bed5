"""originmap rollback: make a zone's mappings what they were."""

from typing import Any

import click

from originmap.cli import option_types as numbers
from originmap.cli import options
from originmap.cli.output.change_text import shown
from originmap.cli.output.table import print_json, print_table
from originmap.cli.server_options import server
from originmap.client.server import Server, of_zone

_COLUMNS = ("origin_ip", "before", "after")


@click.command("rollback")
@click.argument("zone")
@click.option("--to", required=True, type=numbers.REVISION, help="The revision to go back to.")
@server
@click.option("--dry-run", is_flag=True, help="Only print what would change.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@options.as_json
def command(zone: str, to: int, server: Server, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Make a zone's mappings what they were at a revision, all at once.

    That is a change like any other: rolling back to the revision before it undoes it.

    Example: originmap rollback example.com --to 41 --dry-run --db originmap.db
    """
    if not (dry_run or yes):
        would = _rollback(server, zone, to, dry_run=True)
        if would:
            print_table([shown(row) for row in would], _COLUMNS, err=True)
            click.confirm(f"Make these {len(would)} changes?", abort=True, err=True)
    rows = _rollback(server, zone, to, dry_run=dry_run)
    if as_json:
        print_json(rows)
    elif not rows:
        click.echo(f"nothing to do: the mappings are those of revision {to}")
    else:
        if dry_run or yes:
            print_table([shown(row) for row in rows], _COLUMNS)
        if not dry_run:
            click.echo(f"{len(rows)} changes made")


def _rollback(server: Server, zone: str, to: int, *, dry_run: bool) -> list[dict[str, Any]]:
    """What it changes, or would change."""
    path = of_zone(zone, "rollback")
    changes: list[dict[str, Any]] = server.ask("POST", path, body={"to": to, "dry_run": dry_run})[
        "changes"
    ]
    return changes

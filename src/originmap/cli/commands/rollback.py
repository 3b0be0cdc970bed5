"""originmap rollback: restore a zone's mappings as of an earlier revision."""

import click

from originmap.cli import option_types, options
from originmap.cli.output.change_text import shown
from originmap.cli.output.table import print_json, print_table
from originmap.cli.server_options import server
from originmap.client.server import APIServer, of_zone

_COLUMNS = ("origin_ip", "before", "after")


@click.command("rollback")
@click.argument("zone")
@click.option("--to", required=True, type=option_types.REVISION, help="Revision to restore.")
@server
@click.option("--dry-run", is_flag=True, help="Print the changes without making them.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@options.as_json
def command(zone: str, to: int, server: APIServer, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Restore a zone's mappings as of an earlier revision.

    All changes are made in one transaction. The command prints them and asks for confirmation on
    stderr. A rollback is a change: to undo it, restore the revision before it. ZONE is an ID or a
    name.

    Example: originmap rollback example.com --to 41 --dry-run --db originmap.db
    """
    if not (dry_run or yes):
        would = _rollback(server, zone, to, dry_run=True)
        if would:
            print_table([shown(row) for row in would], _COLUMNS, err=True)
            click.confirm(_question(len(would)), abort=True, err=True)
    rows = _rollback(server, zone, to, dry_run=dry_run)
    if as_json:
        print_json(rows)
    elif not rows:
        click.echo(f"nothing to do: the mappings are those of revision {to}")
    else:
        if dry_run or yes:
            print_table([shown(row) for row in rows], _COLUMNS)
        if not dry_run:
            click.echo(f"{len(rows)} change{'s' * (len(rows) != 1)} made")


def _question(changes: int) -> str:
    return "Make this change?" if changes == 1 else f"Make these {changes} changes?"


def _rollback(server: APIServer, zone: str, to: int, *, dry_run: bool) -> list[dict[str, object]]:
    """What it changes, or would change."""
    path = of_zone(zone, "rollback")
    changes: list[dict[str, object]] = server.ask(
        "POST", path, body={"to": to, "dry_run": dry_run}
    )["changes"]
    return changes

"""originmap copy: everything in one database into another, of whatever kind."""

import asyncio
import sys
import time

import click

from originmap import databases
from originmap.cli.options import checked_db
from originmap.cli.output.progress import Progress


@click.command("copy")
@click.option(
    "--from", "source", required=True, metavar="DB", callback=checked_db, help="Database to copy."
)
@click.option(
    "--to", "target", required=True, metavar="DB", callback=checked_db, help="Database to make."
)
@click.option("--replace", is_flag=True, help="Lose what is in the target, if it is not empty.")
def command(source: str, target: str, replace: bool) -> None:
    """Copy a database, history included, between files and PostgreSQL in any direction.

    A file must not be in use. At the end both sides are counted and compared; the copy is a
    database of its own, so followers of the old one start anew.

    Example: originmap copy --from originmap.db --to postgresql://originmap@db.example.com/originmap
    """
    progress = Progress(sys.stderr, time.monotonic)
    try:
        copied = asyncio.run(databases.copy(source, target, progress.step, replace=replace))
    finally:
        progress.clear()
    click.echo(f"copied and checked: {copied}")

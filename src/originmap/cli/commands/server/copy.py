"""originmap copy: copy a database between SQLite files and PostgreSQL."""

import asyncio
import sys
import time

import click

from originmap import databases
from originmap.cli.options import checked_db
from originmap.cli.output.progress import Progress


@click.command("copy")
@click.option(
    "--from",
    "source",
    required=True,
    metavar="DB",
    callback=checked_db,
    help="Database to copy: a file or a postgresql:// URL.",
)
@click.option(
    "--to",
    "target",
    required=True,
    metavar="DB",
    callback=checked_db,
    help="Database to create; it must be empty or not exist.",
)
@click.option("--replace", is_flag=True, help="Overwrite a target that is not empty.")
def command(source: str, target: str, replace: bool) -> None:
    """Copy a database between SQLite files and PostgreSQL.

    The copy includes the history. A file must not be in use by a server. A PostgreSQL database can
    be in use; writes during the copy are not in the copy. At the end the command compares the
    counts of both databases and a checksum of the mappings. The copy has a new epoch: followers of
    the old database do a full sync.

    Example: originmap copy --from originmap.db --to postgresql://originmap@db.example.com/originmap
    """
    progress = Progress(sys.stderr, time.monotonic)
    try:
        copied = asyncio.run(databases.copy(source, target, progress.step, replace=replace))
    finally:
        progress.clear()
    click.echo(f"copied and checked: {copied}")

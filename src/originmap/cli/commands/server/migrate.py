"""originmap migrate: bring a database to the form that this version uses."""

import asyncio

import click

from originmap import databases
from originmap.cli import options


@click.command("migrate")
@options.db
def command(db: str) -> None:
    """Bring a database to the form that this version of Originmap uses.

    Starting a server does the same. Do it beforehand when several servers share a database, or
    when it is large.

    Example: originmap migrate --db postgresql://originmap@db.example.com/originmap
    """
    before, after = asyncio.run(databases.migrate(db))
    if before == after:
        click.echo(f"nothing to do: {databases.shown(db)} is at version {after}")
    else:
        click.echo(f"{databases.shown(db)}: from version {before} to version {after}")

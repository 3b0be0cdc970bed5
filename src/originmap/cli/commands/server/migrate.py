"""originmap migrate: upgrade a database to the schema of this version."""

import asyncio

import click

from originmap import databases
from originmap.cli import options


@click.command("migrate")
@options.db
def command(db: str) -> None:
    """Upgrade a database to the schema of this version.

    A server upgrades its database when it starts. Run this command before that if several servers
    share the database, or if it is large. Several runs at the same time are safe: the others wait
    for the first. A database of a later version is refused.

    Example: originmap migrate --db postgresql://originmap@db.example.com/originmap
    """
    before, after = asyncio.run(databases.migrate(db))
    if before == after:
        click.echo(f"nothing to do: {databases.shown(db)} is at version {after}")
    else:
        click.echo(f"{databases.shown(db)}: from version {before} to version {after}")

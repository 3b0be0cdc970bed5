"""originmap promote: make a replica's database a database of its own."""

import click

from originmap import databases
from originmap.cli import options
from originmap.cli.administer import administer, print_json
from originmap.service.operate.copies import Promote


@click.command("promote")
@options.db
@options.as_json
def command(db: str, as_json: bool) -> None:
    """Make a replica's database a database of its own, which can be written.

    It goes on under a new epoch, so that nobody takes its changes for its former primary's; those
    who follow it start anew by themselves. Stop its server first.

    Example: originmap promote --db replica.db
    """
    (row,) = administer(db, Promote())
    shown = databases.shown(db)
    if as_json:
        print_json([row])
    elif row["promoted"]:
        click.echo(f"{shown} is a database of its own now, at revision {row['revision']}")
    else:
        click.echo(f"{shown} is a database of its own already")

"""originmap promote: make a replica's database a database of its own."""

import click

from originmap.cli import options
from originmap.cli.output.table import print_json
from originmap.cli.server_options import server
from originmap.client.server import NATIVE, Server


@click.command("promote")
@server
@options.as_json
def command(server: Server, as_json: bool) -> None:
    """Make a replica's database a database of its own, which can be written.

    It goes on under a new epoch, so that nobody takes its changes for its former primary's; those
    who follow it start anew by themselves. Stop its server first.

    Example: originmap promote --db replica.db
    """
    row = server.ask("POST", NATIVE + "/promote")
    if as_json:
        print_json([row])
    elif row["promoted"]:
        click.echo(f"it is a database of its own now, at revision {row['revision']}")
    else:
        click.echo("it is a database of its own already")

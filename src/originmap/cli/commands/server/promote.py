"""originmap promote: promote a replica to primary."""

import click

from originmap.cli import options
from originmap.cli.output.table import print_json
from originmap.cli.server_options import server
from originmap.client.server import NATIVE, APIServer


@click.command("promote")
@server
@options.as_json
def command(server: APIServer, as_json: bool) -> None:
    """Promote a replica to primary.

    The database becomes writable and gets a new epoch, so that its changes cannot be mistaken for
    those of the former primary. Followers of the replica do a full sync by themselves. Stop the
    server of the replica first.

    Example: originmap promote --db replica.db
    """
    row = server.ask("POST", NATIVE + "/promote")
    if as_json:
        print_json([row])
    elif row["promoted"]:
        click.echo(f"promoted to primary at revision {row['revision']}")
    else:
        click.echo("nothing to do: the database is a primary already")

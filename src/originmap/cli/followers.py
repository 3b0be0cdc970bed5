"""originmap followers: who follows a server."""

import click

from originmap.cli import options
from originmap.cli.administer import administer, print_json, print_table
from originmap.cli.changed import moment
from originmap.service.operate.copies import ListFollowers


@click.command("followers")
@options.db
@options.as_json
def command(db: str, as_json: bool) -> None:
    """Print who follows the server that owns a database: revision, lag, last contact.

    The server keeps this in memory: without a running server the list is empty.

    Example: originmap followers --db originmap.db
    """
    rows = administer(db, ListFollowers())
    if as_json:
        print_json(rows)
        return
    columns = ("name", "client", "revision", "lag", "last_contact", "serves")
    print_table([row | {"last_contact": moment(row["last_contact"])} for row in rows], columns)

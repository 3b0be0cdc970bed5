"""originmap zone: create and list zones."""

import click

from originmap.cli import options
from originmap.cli.output.table import print_json, print_table
from originmap.cli.server_options import new_server, server
from originmap.client.server import CLOUDFLARE, APIServer, pages
from originmap.domain.errors import StoreEmpty


@click.group("zone")
def command() -> None:
    """Create and list zones."""


@command.command("create")
@click.argument("name")
@new_server
@options.as_json
def create(name: str, server: APIServer, as_json: bool) -> None:
    """Create a zone and print its ID.

    NAME is a domain name such as example.com. It is stored in lower case. An internationalized name
    can be given in Unicode or with its xn-- labels; both forms are the same name to every command.

    Example: originmap zone create example.com --db originmap.db
    """
    accounts = server.ask("GET", CLOUDFLARE + "/accounts")
    if not accounts:
        raise StoreEmpty
    account = {"id": accounts[0]["id"]}
    zone = server.ask("POST", CLOUDFLARE + "/zones", body={"name": name, "account": account})
    if as_json:
        print_json([_row(zone)])
    else:
        click.echo(zone["id"])


@command.command("list")
@server
@options.as_json
def list_(server: APIServer, as_json: bool) -> None:
    """List all zones by name.

    Example: originmap zone list --db originmap.db
    """
    rows = [_row(zone) for zone in pages(server, CLOUDFLARE + "/zones", [("order", "name")])]
    if as_json:
        print_json(rows)
    else:
        print_table(rows, ("id", "name"))


def _row(zone: dict[str, object]) -> dict[str, object]:
    return {name: zone[name] for name in ("id", "name", "created_on")}

"""originmap token: make, list and revoke API tokens."""

from urllib.parse import quote

import click

from originmap.cli import options
from originmap.cli.output.table import print_json, print_table
from originmap.cli.server_options import new_server, server
from originmap.client.server import NATIVE, Server
from originmap.domain.access.token_access import ACCESS, Access

_NODES = ("edge", "replicate")


@click.group("token")
def command() -> None:
    """Make, list and revoke API tokens."""


@command.command("create")
@click.argument("name")
@click.option(
    "--zone",
    "zones",
    multiple=True,
    metavar="ID|all",
    help="Zone it is for: id, name, or all; several for edge. Only edge and replicate need none.",
)
@click.option(
    "--access",
    required=True,
    type=click.Choice(ACCESS),
    help="Read or write mappings and settings; everything; for a replica; for an edge node.",
)
@click.option("--colo", default="", metavar="CODE", help="The only colo an edge node reports as.")
@new_server
@options.as_json
def create(
    name: str, zones: tuple[str, ...], access: Access, colo: str, server: Server, as_json: bool
) -> None:
    """Make a token called NAME and print its secret, which is shown this once. One for edge or
    replicate is for a node of a cache or for a replica alone.

    Example: originmap token create deploy --zone all --access write --db originmap.db
    """
    if not zones and access not in _NODES:
        raise click.UsageError(f"--zone is needed with --access {access}: an id, a name, or all")
    if "all" in zones and len(zones) > 1:
        raise click.UsageError("--zone all goes with no other --zone")
    named = () if zones == ("all",) else zones
    asked = {"name": name, "access": access, "zones": named, "colo": colo}
    made = server.ask("POST", NATIVE + "/tokens", body=asked)
    if as_json:
        print_json([made])
        return
    click.echo(made["secret"])
    click.echo("Keep it now: only its hash is stored, it cannot be shown again.", err=True)


@command.command("list")
@server
@options.as_json
def list_(server: Server, as_json: bool) -> None:
    """List all tokens, without their secrets.

    Example: originmap token list --db originmap.db
    """
    rows = server.ask("GET", NATIVE + "/tokens")
    if as_json:
        print_json(rows)
    else:
        print_table(rows, ("id", "name", "access", "zones", "colos"))


@command.command("revoke")
@click.argument("token_id", metavar="ID")
@server
def revoke(token_id: str, server: Server) -> None:
    """Revoke the token with this ID (see token list); it stops working at once.

    Example: originmap token revoke 3f2a…e1 --db originmap.db
    """
    server.ask("DELETE", f"{NATIVE}/tokens/{quote(token_id, safe='')}")
    click.echo(f"revoked {token_id}", err=True)

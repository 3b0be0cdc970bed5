"""originmap token: create, list and revoke API tokens."""

from urllib.parse import quote

import click

from originmap.cli import options
from originmap.cli.output.table import print_json, print_table
from originmap.cli.server_options import new_server, server
from originmap.client.server import NATIVE, APIServer
from originmap.domain.access.token_access import ACCESS, Access

_NODES = ("edge", "replicate")


@click.group("token")
def command() -> None:
    """Create, list and revoke API tokens."""


@command.command("create")
@click.argument("name")
@click.option(
    "--zone",
    "zones",
    multiple=True,
    metavar="ID|all",
    help="Zone of the token, by ID or name, or all; repeatable. Required for read, write and "
    "everything.",
)
@click.option(
    "--access",
    required=True,
    type=click.Choice(ACCESS),
    help="Rights: read; write, which includes read; everything; replicate, for a replica; edge, "
    "for a cache node.",
)
@click.option(
    "--colo",
    default="",
    metavar="CODE",
    help="Only colo that a node with this token can report; for --access edge.",
)
@new_server
@options.as_json
def create(
    name: str, zones: tuple[str, ...], access: Access, colo: str, server: APIServer, as_json: bool
) -> None:
    """Create an API token and print its secret.

    The secret is printed only once: the database stores its SHA-256 hash. NAME has 1 to 120
    characters and need not be unique. There can be 50 tokens, and 10,000 more with --access edge
    and replicate. --zone all includes zones that are created later.

    A token with --access edge can read zones, mappings, topology, latencies and the rollout, and
    report what its node serves. One with --access replicate can read everything, including the
    hashes of credentials and the secrets of webhooks, and change nothing.

    Example: originmap token create deploy --zone all --access write --db originmap.db

    Example: originmap token create sin-1 --access edge --colo SIN --db originmap.db
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
def list_(server: APIServer, as_json: bool) -> None:
    """List all tokens by name, without their secrets.

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
def revoke(token_id: str, server: APIServer) -> None:
    """Revoke a token.

    The token stops working at once. ID is the first column of originmap token list.

    Example: originmap token revoke f700ecd216406e521c639db72afa25e9 --db originmap.db
    """
    server.ask("DELETE", f"{NATIVE}/tokens/{quote(token_id, safe='')}")
    click.echo(f"revoked {token_id}", err=True)

"""originmap token: make, list and revoke API tokens."""

import click

from originmap.cli import options
from originmap.cli.administer import administer, print_json, print_table
from originmap.service.operate.tokens import Access, CreateToken, ListTokens, RevokeToken

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
    type=click.Choice(["read", "write", "everything", "replicate", "edge"]),
    help="Read or write mappings and settings; everything; for a replica; for an edge node.",
)
@click.option("--colo", default="", metavar="CODE", help="The only colo an edge node reports as.")
@options.db
@options.as_json
def create(
    name: str, zones: tuple[str, ...], access: Access, colo: str, db: str, as_json: bool
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
    rows = administer(db, CreateToken(name, named, access, colo.upper()), new=True)
    if as_json:
        print_json(rows)
        return
    click.echo(rows[0]["secret"])
    click.echo("Keep it now: only its hash is stored, it cannot be shown again.", err=True)


@command.command("list")
@options.db
@options.as_json
def list_(db: str, as_json: bool) -> None:
    """List all tokens, without their secrets.

    Example: originmap token list --db originmap.db
    """
    rows = administer(db, ListTokens())
    if as_json:
        print_json(rows)
    else:
        print_table(rows, ("id", "name", "access", "zones", "colos"))


@command.command("revoke")
@click.argument("token_id", metavar="ID")
@options.db
def revoke(token_id: str, db: str) -> None:
    """Revoke the token with this ID (see token list); it stops working at once.

    Example: originmap token revoke 3f2a…e1 --db originmap.db
    """
    administer(db, RevokeToken(token_id))
    click.echo(f"revoked {token_id}", err=True)

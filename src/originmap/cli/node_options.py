"""Options that say which node of the cache network something is for."""

from typing import BinaryIO

import click

from originmap.domain.encoding import NotText, decode
from originmap.domain.errors import InvalidExport
from originmap.domain.tier.endpoint import TEMPLATE_FIELD

EXAMPLE_UPSTREAM = "{colo}.cache.example.net:80"

zone = click.option(
    "--zone",
    "zones",
    multiple=True,
    metavar="ZONE",
    help="Only this zone, by ID or name; repeatable. Default: all zones.",
)
colo = click.option("--colo", metavar="CODE", help="Colo of the node that loads the files.")
upstream = click.option(
    "--upstream",
    "upstreams",
    multiple=True,
    metavar="ADDRESS",
    help=f"Address of the upper tiers: {EXAMPLE_UPSTREAM}, or IAD=192.0.2.10:80 for one colo, "
    "twice for two caches; repeatable. Default: the caches of the topology.",
)
upstream_file = click.option(
    "--upstreams",
    "upstream_file",
    type=click.File("rb"),
    metavar="FILE",
    help="File of such addresses, one per line; # starts a comment.",
)


def lines(file: BinaryIO | None) -> list[str]:
    """What a file of addresses says; "#" starts a comment."""
    if file is None:
        return []
    try:
        text = decode(file.read())
    except NotText as error:
        raise click.BadParameter(f"{file.name}: {error}", param_hint="--upstreams") from None
    found, templates = list[str](), list[str]()
    for number, line in enumerate(text.splitlines(), 1):
        if said := line.partition("#")[0].strip():
            _check([*templates, said], f"{file.name}:{number}")
            found.append(said)
            templates += [said] if TEMPLATE_FIELD in said else []
    return found


def _check(upstreams: list[str], where: str) -> None:
    from originmap.export import endpoint

    try:
        endpoint.read(upstreams)
    except InvalidExport as error:
        raise click.BadParameter(f"{where}: {error}", param_hint="--upstreams") from None

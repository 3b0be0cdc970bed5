"""Options that say which node of the cache network something is for."""

from typing import Any

import click

EXAMPLE_UPSTREAM = "{colo}.cache.example.net:80"

zone = click.option(
    "--zone", "zones", multiple=True, metavar="ZONE", help="Only this zone, an id or a name."
)
colo = click.option("--colo", metavar="CODE", help="The colo of the node that loads this.")
upstream = click.option(
    "--upstream",
    "upstreams",
    multiple=True,
    metavar="ADDRESS",
    help=f"Where the upper tiers listen: {EXAMPLE_UPSTREAM}, or IAD=192.0.2.10:80 for one.",
)
upstream_file = click.option(
    "--upstreams",
    "upstream_file",
    type=click.File("r", encoding="utf-8", errors="replace"),
    metavar="FILE",
    help="A file with such addresses, one a line.",
)


def lines(file: Any) -> list[str]:
    """What a file of addresses says; "#" starts a comment."""
    lines = [] if file is None else [line.partition("#")[0].strip() for line in file]
    return [line for line in lines if line]

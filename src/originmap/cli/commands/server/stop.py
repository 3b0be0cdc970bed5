"""originmap stop: stop a development server in the background."""

import click

from originmap.cli import options
from originmap.cli.dev import detached
from originmap.testing.control import ControlError


@click.command("stop")
@click.option(
    "--url",
    metavar="URL",
    callback=options.checked_url,
    default="",
    show_default="the server that originmap dev --detach started",
    help="Development server to stop.",
)
def command(url: str) -> None:
    """Stop a development server that runs in the background.

    Example: originmap stop
    """
    server = detached.Detached(url, "") if url else detached.find()
    if server is None:
        raise detached.NotDetached("no development server runs in the background")
    try:
        detached.stop(server)
    except ControlError:
        if url:
            raise
        detached.forget()
        raise detached.NotDetached(f"{server.url} had stopped already") from None
    click.echo(f"stopped {server.url}")

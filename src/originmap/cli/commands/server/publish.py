"""originmap publish nats: the change feed in NATS JetStream."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from originmap.cli import option_types, options
from originmap.domain.nats_url import STREAM, check_stream, parse_nats
from originmap.domain.server_url import InvalidServerURL
from originmap.settings import PublishSettings, default_of, help_of

_MOST_MESSAGES = 100_000_000
_MOST_REPLICAS = 5


def _servers(ctx: click.Context, param: click.Parameter, value: str) -> str:
    try:
        url = parse_nats(value)
    except InvalidServerURL as error:
        raise click.BadParameter(
            f"{error}\n  servers are given like nats://192.0.2.1:4222,192.0.2.2:4222"
        ) from None
    if url.stream != STREAM:
        raise click.BadParameter(f"give the stream with --stream {url.stream}")
    return str(url)


def _stream(ctx: click.Context, param: click.Parameter, value: str) -> str:
    try:
        return check_stream(value)
    except InvalidServerURL as error:
        raise click.BadParameter(str(error)) from None


@click.group("publish")
def command() -> None:
    """Publish the changes of a server to other systems.

    Example: originmap publish nats --follow http://192.0.2.1:8787 --servers nats://192.0.2.1:4222
    """


@command.command("nats")
@options.follow(PublishSettings)
@click.option(
    "--servers",
    required=True,
    metavar="URL",
    callback=_servers,
    help=help_of("servers", PublishSettings),
    envvar="ORIGINMAP_NATS_SERVERS",
)
@click.option(
    "--stream",
    default=default_of("stream", PublishSettings),
    show_default=True,
    callback=_stream,
    help=help_of("stream", PublishSettings),
    envvar="ORIGINMAP_NATS_STREAM",
)
@click.option(
    "--keep",
    default=default_of("keep", PublishSettings),
    show_default=True,
    metavar="MESSAGES",
    type=option_types.Whole(2, _MOST_MESSAGES),
    help=help_of("keep", PublishSettings),
)
@click.option(
    "--replicas",
    default=default_of("replicas", PublishSettings),
    show_default=True,
    type=option_types.Whole(1, _MOST_REPLICAS),
    help=help_of("replicas", PublishSettings),
)
def nats(follow: str, token_file: Path | None, **rest: Any) -> None:
    """Publish a server's change feed to a stream of NATS JetStream.

    Agents and replicas follow the stream with --follow nats://HOST:PORT/STREAM. The publisher has
    no state: it continues after the last message of the stream. It creates the stream and an object
    store of the same name for snapshots. With the token of a node the stream has what nodes may
    read, with that of a replica everything: docs/nats.md.

    Example: originmap publish nats --follow http://192.0.2.1:8787 --servers nats://192.0.2.1:4222
    """
    from originmap.bootstrap_follow import publish
    from originmap.cli.event_loop import run_in_loop

    if not follow:
        raise click.UsageError("--follow is needed: the server whose changes are published")
    settings = PublishSettings(follow=follow, token=options.token(token_file), **rest)
    run_in_loop(publish(settings, partial(_started, settings)))


def _started(settings: PublishSettings, name: str) -> None:
    to = f"{settings.servers.rpartition('/')[0]}/{settings.stream}"
    click.echo(f"Originmap publisher {name} follows {settings.follow} (stream {to})")

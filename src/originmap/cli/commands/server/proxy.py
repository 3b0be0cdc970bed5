"""originmap proxy: unmodified tools within the rate limit of the API."""

from functools import partial
from typing import Any, NamedTuple

import click

from originmap.cli import option_types, options
from originmap.cli.listen_address import base_url, is_loopback
from originmap.domain import number
from originmap.domain.server_url import ServerURL, parse
from originmap.settings import CLOUDFLARE_API, outbound_environment

_WELCOME = """\
Originmap proxy {url} in front of {api} (stop with Ctrl-C)

  export CLOUDFLARE_BASE_URL={url}
"""
_LONGEST_SECONDS = 3600


class _Listen(NamedTuple):
    host: str
    port: int


def _listen(ctx: click.Context, param: click.Parameter, value: str) -> _Listen:
    host, colon, text = value.rpartition(":")
    port = number.whole(text, 0, 65_535)
    bracketed = host.startswith("[") and host.endswith("]")
    host = host[1:-1] if bracketed else host
    if not colon or not host or port is None or (":" in host) != bracketed:
        raise click.BadParameter(
            f"{number.shown(value)}: give HOST:PORT, as in 127.0.0.1:8787 or [::1]:8787"
        )
    return _Listen(host, port)


@click.command("proxy")
@click.option(
    "--api",
    default=CLOUDFLARE_API,
    show_default=True,
    metavar="URL",
    callback=options.checked_url,
    help="Base URL of the v4 API that requests are sent to.",
)
@click.option(
    "--listen",
    default="127.0.0.1:8787",
    show_default=True,
    metavar="HOST:PORT",
    callback=_listen,
    help="Address and port to listen on; port 0 picks a free port.",
)
@click.option(
    "--fresh",
    default=60,
    show_default=True,
    metavar="SECONDS",
    type=option_types.Amount(0, _LONGEST_SECONDS),
    help="Seconds that a list of mappings is used before it is read again.",
)
@click.option(
    "--wait",
    default=330,
    show_default=True,
    metavar="SECONDS",
    type=option_types.Amount(0, _LONGEST_SECONDS),
    help="Seconds that the rate limit can delay a request; then the caller gets 429.",
)
@click.option(
    "--allow-other-hosts",
    is_flag=True,
    help="Allow a --listen address that other machines can reach: their credentials arrive in "
    "clear text.",
)
@options.log_requests
def command(
    api: str,
    listen: _Listen,
    fresh: float,
    wait: float,
    allow_other_hosts: bool,
    log_requests: bool,
) -> None:
    """Run a proxy that keeps unmodified tools within the rate limit of the API.

    Tools such as Terraform make one call for each mapping. The proxy answers reads of single
    mappings from a list, groups writes into batches, and waits for the rate limit. It forwards
    everything else unchanged. It stores no credential: it uses that of each caller.

    SIGTERM stops it after the writes in flight; it then prints how many requests it saved.

    Example: originmap proxy --api https://api.cloudflare.com/client/v4
    """
    server = parse(api)
    if not allow_other_hosts and not is_loopback(listen.host):
        raise click.UsageError(
            f"other machines can reach {listen.host}, and would send their credentials to it in "
            "clear text.\nListen on 127.0.0.1, or add --allow-other-hosts."
        )
    if server.port == listen.port and server.host in (listen.host, "localhost"):
        raise click.UsageError(
            f"--api {api} is the address of --listen: the proxy would ask itself"
        )
    _serve(server, *listen, fresh, wait, log_requests)


def _serve(api: ServerURL, *rest: Any) -> None:
    # Imported here: --help must not wait for an HTTP client.
    from originmap.cli.event_loop import run_in_loop
    from originmap.proxy.server import ProxyOptions, serve_proxy

    options = ProxyOptions(api, *rest)
    tally = run_in_loop(serve_proxy(options, outbound_environment(), partial(_welcome, api)))
    click.echo(f"{tally.received:,} requests answered with {tally.sent:,} requests to the API")


def _welcome(server: ServerURL, host: str, port: int) -> None:
    click.echo(_WELCOME.format(url=base_url(host, port) + server.path, api=server))

"""Runs the proxy: a listener for callers, and a client of the API."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from originmap.api.access_log import AccessLog, SilentLog, log_json
from originmap.api.descriptors import connections_within
from originmap.api.http.limits import MOST_CONNECTIONS, Limits
from originmap.api.http.protocol import Context
from originmap.api.listener import CannotListen, listen
from originmap.api.request_ids import RequestIDs
from originmap.api.server import HTTPServer, stop_on_signals
from originmap.domain.server_url import ServerURL
from originmap.outbound.http import route_to
from originmap.proxy.application import ProxyApplication
from originmap.proxy.upstream import TIMEOUT, Upstream


@dataclass(frozen=True, slots=True)
class ProxyOptions:
    """The options of a proxy; times in seconds."""

    api: ServerURL
    host: str
    port: int
    fresh: float
    wait: float
    log_requests: bool


class ProxyTally(NamedTuple):
    """The requests of callers, and those to the API."""

    received: int
    sent: int


async def serve_proxy(
    options: ProxyOptions, environment: Mapping[str, str], on_start: Callable[[str, int], None]
) -> ProxyTally:
    """Serve until SIGTERM or SIGINT. `on_start` is called with the host and the port once the
    proxy listens. Raises CannotListen, UnusableEnvironment."""
    log_json()
    log = AccessLog() if options.log_requests else SilentLog()
    route = route_to(options.api, environment)
    async with route.async_client({}, TIMEOUT) as client:
        upstream = Upstream(route, client)
        application = ProxyApplication(upstream, options.api.path, options.fresh, options.wait)
        try:
            sock = listen(options.host, options.port)
        except CannotListen as error:
            error.hint = "use another --listen; port 0 takes a free port"
            raise
        limits = Limits(connections=connections_within(MOST_CONNECTIONS))
        context = Context(application, limits, RequestIDs(), log)
        server = HTTPServer(context, upstream.pace.stop)
        stop_on_signals(server)
        on_start(options.host, sock.getsockname()[1])
        await server.serve(sock)
        log.flush()
    return ProxyTally(application.requests, upstream.requests)

"""Chooses the proxy for a server; an error names the variable with the unusable value."""

import importlib.util
from collections.abc import Mapping

from originmap.domain.proxy import InvalidProxy, Proxy, proxy_for
from originmap.domain.server_url import ServerURL
from originmap.outbound.errors import UnusableEnvironment


def checked_proxy(server: ServerURL, environment: Mapping[str, str]) -> Proxy | None:
    """The proxy for a server, if any. Raises UnusableEnvironment."""
    hint = f"set it to http://HOST:PORT, unset it, or set NO_PROXY={server.host}"
    try:
        proxy = proxy_for(server, environment)
    except InvalidProxy as error:
        raise UnusableEnvironment(error.variable, str(error), hint) from None
    if proxy is not None and proxy.is_socks and importlib.util.find_spec("socksio") is None:
        problem = f"{proxy.url} is a SOCKS proxy, which needs the Python package socksio"
        raise UnusableEnvironment(proxy.variable, problem, hint)
    return proxy

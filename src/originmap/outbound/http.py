"""The only module that creates HTTP clients. It applies the environment variables by our own
rules; httpx does not read the environment."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from originmap.domain.proxy import Proxy
from originmap.domain.server_url import ServerURL
from originmap.outbound.proxies import checked_proxy
from originmap.outbound.tls import tls_context, tls_error, tls_hint, tls_reason, unused_context

DIRECT: Mapping[str, str] = {}
"""An environment without a proxy and without certificates."""


class InvalidRedirect(httpx.RemoteProtocolError):
    """A response redirects to an invalid URL. httpx parses the target of each redirect, also of
    those that it does not follow, and raises errors of several kinds."""


@dataclass(frozen=True, slots=True)
class OutboundRoute:
    """How to reach a server: through which proxy, and with which trusted certificates."""

    server: ServerURL
    proxy: Proxy | None
    tls: ssl.SSLContext

    def client(self, headers: Mapping[str, str], timeout: httpx.Timeout) -> httpx.Client:
        """A client for requests one after another; follows no redirect."""
        options = self._options(headers, timeout)
        return httpx.Client(event_hooks={"response": [_check_redirect]}, **options)

    def async_client(self, headers: Mapping[str, str], timeout: httpx.Timeout) -> httpx.AsyncClient:
        """A client for an event loop, with the server's URL as the base; follows no redirect."""
        options = self._options(headers, timeout)
        hooks = {"response": [_check_redirect_async]}
        return httpx.AsyncClient(base_url=str(self.server), event_hooks=hooks, **options)

    def failure(self, error: Exception) -> "RequestFailure":
        """The reason and the hint for the exception of a request."""
        refused = tls_error(error)
        if refused is not None:
            return RequestFailure(tls_reason(refused), tls_hint(refused), lasting=True)
        if isinstance(error, InvalidRedirect):
            return RequestFailure(str(error), "check the URL of the server", lasting=True)
        reason = str(error) or type(error).__name__
        if self.proxy is None:
            return RequestFailure(reason, "", lasting=False)
        return RequestFailure(
            f"through the proxy {self.proxy.url} of {self.proxy.variable}: {reason}",
            f"check the proxy, or set NO_PROXY={self.server.host} to connect directly",
            lasting=False,
        )

    def _options(self, headers: Mapping[str, str], timeout: httpx.Timeout) -> dict[str, Any]:
        """The options of both kinds of client."""
        return {
            "headers": dict(headers),
            "timeout": timeout,
            "verify": self.tls,
            "proxy": self._httpx_proxy(),
            "trust_env": False,
            "follow_redirects": False,
        }

    def _httpx_proxy(self) -> httpx.Proxy | None:
        if self.proxy is None:
            return None
        secured = self.proxy.url.startswith("https://")
        user = (self.proxy.user, self.proxy.password) if self.proxy.user else None
        return httpx.Proxy(self.proxy.url, auth=user, ssl_context=self.tls if secured else None)


@dataclass(frozen=True, slots=True)
class RequestFailure:
    """Why a request failed, with a hint or "". Retrying does not help if it is `lasting`."""

    reason: str
    hint: str
    lasting: bool


def route_to(server: ServerURL, environment: Mapping[str, str]) -> OutboundRoute:
    """The route to a server. Raises UnusableEnvironment."""
    proxy = checked_proxy(server, environment)
    encrypted = "https" in (server.scheme, proxy and proxy.url.partition(":")[0])
    tls = tls_context(environment, _default_tls) if encrypted else unused_context()
    return OutboundRoute(server, proxy, tls)


def _check_redirect(answer: httpx.Response) -> None:
    if not answer.has_redirect_location:
        return
    try:
        # Only `host` decodes A-labels.
        _ = answer.url.join(answer.headers["location"]).host
    except (httpx.InvalidURL, UnicodeError) as error:
        raise InvalidRedirect(f"it redirects to an invalid URL: {error}") from None


async def _check_redirect_async(answer: httpx.Response) -> None:
    _check_redirect(answer)


def _default_tls() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)

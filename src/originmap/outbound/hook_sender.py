"""Sends webhooks: one request, to an address that is checked after the name was resolved.

The connection goes to the checked address itself, so that a second answer of the DNS cannot lead it
elsewhere. Redirects are not followed, and no proxy is used: it would resolve the name by itself.
Certificates are verified for the name in the URL.
"""

import asyncio
import contextlib
import functools
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import httpx

from originmap.domain.hook.public_address import is_public
from originmap.outbound.errors import UnusableEnvironment
from originmap.outbound.tls import tls_context, tls_error, tls_reason

SECONDS = 15.0
"""Timeout of a whole request, from the lookup of the name to the status of the response."""
_BODY_SECONDS = 1.0
_LARGEST_BODY = 64 << 10
"""Bytes of a response that are read, so that the connection can be used again."""
_ADDRESSES = 3


class _Refused(Exception):
    """The name has an address that webhooks are not sent to."""


def new_senders(environment: Mapping[str, str], *, private: bool) -> Callable[[], "HookSender"]:
    """A function that makes senders with shared certificates. With `private`, addresses that are
    not global are accepted."""
    default = functools.partial(httpx.create_ssl_context, trust_env=False)
    tls = functools.cache(functools.partial(tls_context, environment, default))
    return lambda: HookSender(tls, private=private)


class HookSender:
    """Sends messages to one receiver. Its lookups have a thread of their own, so that a slow name
    server delays no other receiver."""

    def __init__(
        self, tls: Callable[[], ssl.SSLContext], *, private: bool, seconds: float = SECONDS
    ) -> None:
        """`tls` raises UnusableEnvironment."""
        self._tls = tls
        self._private = private
        self._seconds = seconds
        self._resolver = ThreadPoolExecutor(1, "hook-resolver")
        self._client: httpx.AsyncClient | None = None

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> str:
        """Send a message. Return "" if the receiver accepted it with a 2xx status, and otherwise
        the reason, without path and query of the URL."""
        if not self._private and not url.startswith("https://"):
            return "the URL does not start with https://"
        try:
            async with asyncio.timeout(self._seconds):
                status = await self._post(url, headers, body)
        except (TimeoutError, httpx.TimeoutException):
            return f"no response in {self._seconds:g} s"
        except (_Refused, UnusableEnvironment) as error:
            return str(error)
        except (httpx.TransportError, OSError) as error:
            refused = tls_error(error)
            return tls_reason(refused) if refused else str(error) or type(error).__name__
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            return type(error).__name__
        return "" if 200 <= status < 300 else f"status {status}"

    async def close(self) -> None:
        """Close the connection."""
        self._resolver.shutdown(wait=False, cancel_futures=True)
        if self._client is not None:
            await self._client.aclose()

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        if self._client is None:
            transport = _CheckedTransport(self._tls(), self._addresses)
            self._client = httpx.AsyncClient(
                transport=transport,
                timeout=self._seconds,
                trust_env=False,
                follow_redirects=False,
            )
        async with self._client.stream("POST", url, headers=headers, content=body) as response:
            with contextlib.suppress(httpx.HTTPError, TimeoutError):
                async with asyncio.timeout(_BODY_SECONDS):
                    await _read(response)
            return response.status_code

    async def _addresses(self, host: str, port: int) -> list[str]:
        """The addresses of a host. Raises _Refused if one of them is not allowed, and OSError."""
        look_up = functools.partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._resolver, look_up)
        addresses = list(dict.fromkeys(str(row[4][0]) for row in found))
        for address in addresses:
            if not self._private and not is_public(address):
                raise _Refused(f"{address} is not a public address")
        return addresses


class _CheckedTransport(httpx.AsyncBaseTransport):
    """Connects to the addresses that a function returns for a host and a port."""

    def __init__(
        self, tls: ssl.SSLContext, addresses: Callable[[str, int], Awaitable[list[str]]]
    ) -> None:
        self._addresses = addresses
        limits = httpx.Limits(max_connections=2, max_keepalive_connections=1)
        self._transport = httpx.AsyncHTTPTransport(verify=tls, limits=limits, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        host = url.raw_host.decode("ascii")
        port = url.port or (443 if url.scheme == "https" else 80)
        request.extensions = {**request.extensions, "sni_hostname": host}
        failure: httpx.ConnectError | None = None
        for address in (await self._addresses(host, port))[:_ADDRESSES]:
            request.url = url.copy_with(host=address)
            try:
                return await self._transport.handle_async_request(request)
            except httpx.ConnectError as error:
                failure = error
        raise failure or httpx.ConnectError(f"{host} has no address")

    async def aclose(self) -> None:
        await self._transport.aclose()


async def _read(response: httpx.Response) -> None:
    """Read the body of a response, up to the limit."""
    size = 0
    async for chunk in response.aiter_raw():
        size += len(chunk)
        if size > _LARGEST_BODY:
            return

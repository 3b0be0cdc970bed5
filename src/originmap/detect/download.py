"""One file from a web server: conditional, bounded in time and size, or not at all.

The time limit holds for everything together: a server that sends a byte now and then keeps each
single wait short. So the download has a thread of its own, which is left behind when it is late.
"""

import base64
import datetime
import email.utils
import http.client
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from types import MappingProxyType
from typing import IO, Any

from originmap import __version__
from originmap.detect.content import MAX_BYTES, unpacked
from originmap.detect.errors import DownloadFailed
from originmap.detect.files import FileSource
from originmap.domain.server_url import InvalidServerURL, parse
from originmap.outbound.proxies import checked_proxy
from originmap.outbound.tls import tls_context, tls_error, tls_hint, tls_reason, unused_context

WEB = ("https://", "http://")
"""How the address of a file on the web begins."""

NOTHING_SET: Mapping[str, str] = MappingProxyType({})
"""An environment that names no proxy and no certificates."""

_NOT_MODIFIED = 304


@dataclass(frozen=True, slots=True)
class Download:
    """What a server sent, unpacked. `modified` is when it says that it last changed it."""

    data: bytes
    modified: datetime.datetime | None
    origin: FileSource


def download(
    url: str, known: FileSource | None, seconds: float, environment: Mapping[str, str] = NOTHING_SET
) -> Download | None:
    """The file at `url`; None when the server says that it is still the `known` one.

    `environment` may name a proxy and certificates. Raises DownloadFailed, DamagedRanges for what
    does not unpack within bounds, UnusableEnvironment.
    """
    future: Future[Download | None] = Future()

    def run() -> None:
        try:
            future.set_result(_download(url, known, seconds, environment))
        except BaseException as error:  # whatever it is, it belongs to the thread that waits
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        return future.result(seconds)
    except TimeoutError:
        raise DownloadFailed(url, f"no complete answer within {seconds:g} s") from None


class _SecureRedirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects on the web, but not from https to http."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        if not newurl.startswith(WEB if req.type == "http" else "https://"):
            fp.close()
            raise DownloadFailed(req.full_url, f"it leads to {newurl}, which is not encrypted")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _Proxies(urllib.request.BaseHandler):
    """Sends a request through the proxy that the environment names for it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def http_request(self, req: urllib.request.Request) -> urllib.request.Request:
        """Called for each request before it is sent."""
        try:
            server = parse(f"{req.type}://{req.host}")
        except InvalidServerURL:
            return req  # to ask it says what is wrong
        proxy = checked_proxy(server, self._environment)
        if proxy is None:
            return req
        if proxy.is_socks:
            raise DownloadFailed(req.full_url, f"{proxy.variable}: SOCKS is not supported here")
        if proxy.user:
            signed = base64.b64encode(f"{proxy.user}:{proxy.password}".encode()).decode()
            req.add_header("Proxy-Authorization", f"Basic {signed}")
        scheme, _, place = proxy.url.partition("://")
        req.set_proxy(place, scheme)
        return req

    https_request = http_request


class _Trusting(urllib.request.HTTPSHandler):
    """Trusts the certificates that the environment names; it is not read for http://."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        super().__init__(context=unused_context())
        self._environment = environment

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Called for each request to an https:// server."""
        context = tls_context(self._environment, ssl.create_default_context)

        def connection(host: str, /, **options: Any) -> http.client.HTTPSConnection:
            return http.client.HTTPSConnection(host, context=context, **options)

        return self.do_open(connection, req)


def _download(
    url: str, known: FileSource | None, seconds: float, environment: Mapping[str, str]
) -> Download | None:
    if not url.startswith(WEB):
        raise DownloadFailed(url, "it is no address on the web")
    headers = {"User-Agent": f"originmap/{__version__}", "Accept-Encoding": "gzip"}
    conditions = _conditions(known)
    direct = urllib.request.ProxyHandler({})  # in the place of the default one
    opener = urllib.request.build_opener(
        direct, _Proxies(environment), _Trusting(environment), _SecureRedirects
    )
    try:
        request = urllib.request.Request(url, headers=headers | conditions)  # noqa: S310 - see above
        with opener.open(request, timeout=seconds) as response:
            return _read(url, response)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == _NOT_MODIFIED and conditions:
            return None
        raise DownloadFailed(url, f"the server answered {error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        refused = tls_error(error)
        if refused is not None:
            raise DownloadFailed(url, tls_reason(refused), tls_hint(refused)) from error
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise DownloadFailed(url, str(reason) or type(error).__name__) from error


def _conditions(known: FileSource | None) -> dict[str, str]:
    """What asks for the file only if it changed (RFC 9110 §13.1)."""
    if known is None:
        return {}
    validators = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
    return {name: value for name, value in validators.items() if value is not None}


def _read(url: str, response: http.client.HTTPResponse) -> Download:
    data = response.read(MAX_BYTES + 1)
    if len(data) <= MAX_BYTES and response.length:
        raise DownloadFailed(url, f"the server broke off {response.length:,} bytes early")
    origin = FileSource(url, response.headers["ETag"], response.headers["Last-Modified"])
    return Download(unpacked(url, data), _moment(origin.last_modified), origin)


def _moment(header: str | None) -> datetime.datetime | None:
    try:
        moment = email.utils.parsedate_to_datetime(header or "")
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)

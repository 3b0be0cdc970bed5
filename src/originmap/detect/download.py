"""Downloads one file from a web server: a conditional request, with limits of time and size.

The timeout is for the whole download: a server that sends a byte now and then never exceeds the
timeout of a read. So the download runs in a thread, which is abandoned after the timeout.
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
"""Prefixes of supported URLs."""

NOTHING_SET: Mapping[str, str] = MappingProxyType({})
"""An environment without a proxy and without certificates."""

_NOT_MODIFIED = 304


@dataclass(frozen=True, slots=True)
class Download:
    """The decompressed response of a server. `modified` is its Last-Modified, if valid."""

    data: bytes
    modified: datetime.datetime | None
    origin: FileSource


def download(
    url: str, known: FileSource | None, seconds: float, environment: Mapping[str, str] = NOTHING_SET
) -> Download | None:
    """Download the file at `url`; None if the server says that the `known` one is current.

    `environment` can set a proxy and certificates. Raises DownloadFailed, DamagedRanges if the
    file is damaged or too large, UnusableEnvironment.
    """
    future: Future[Download | None] = Future()

    def run() -> None:
        try:
            future.set_result(_download(url, known, seconds, environment))
        except BaseException as error:  # re-raised in the waiting thread
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        return future.result(seconds)
    except TimeoutError:
        raise DownloadFailed(url, f"no complete response within {seconds:g} s") from None


class _SecureRedirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to http and https, but not from https to http."""

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
            raise DownloadFailed(req.full_url, f"it redirects to {newurl}, which is not encrypted")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _Proxies(urllib.request.BaseHandler):
    """Sends a request through the proxy that the environment sets for its URL."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def http_request(self, req: urllib.request.Request) -> urllib.request.Request:
        """Called for each request before it is sent."""
        try:
            server = parse(f"{req.type}://{req.host}")
        except InvalidServerURL:
            return req  # the request itself raises the reason
        proxy = checked_proxy(server, self._environment)
        if proxy is None:
            return req
        if proxy.is_socks:
            raise DownloadFailed(req.full_url, f"{proxy.variable}: SOCKS proxies are not supported")
        if proxy.user:
            credentials = base64.b64encode(f"{proxy.user}:{proxy.password}".encode()).decode()
            req.add_header("Proxy-Authorization", f"Basic {credentials}")
        scheme, _, host = proxy.url.partition("://")
        req.set_proxy(host, scheme)
        return req

    https_request = http_request


class _Trusting(urllib.request.HTTPSHandler):
    """Trusts the certificates that the environment sets; they are read only for https://."""

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
        raise DownloadFailed(url, "not an http:// or https:// URL")
    headers = {"User-Agent": f"originmap/{__version__}", "Accept-Encoding": "gzip"}
    conditions = _conditions(known)
    direct = urllib.request.ProxyHandler({})  # replaces the default handler
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
        raise DownloadFailed(url, f"the server responded {error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        refused = tls_error(error)
        if refused is not None:
            raise DownloadFailed(url, tls_reason(refused), tls_hint(refused)) from error
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise DownloadFailed(url, str(reason) or type(error).__name__) from error


def _conditions(known: FileSource | None) -> dict[str, str]:
    """The headers of a conditional request (RFC 9110 §13.1)."""
    if known is None:
        return {}
    validators = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
    return {name: value for name, value in validators.items() if value is not None}


def _read(url: str, response: http.client.HTTPResponse) -> Download:
    data = response.read(MAX_BYTES + 1)
    if len(data) <= MAX_BYTES and response.length:
        raise DownloadFailed(url, f"the response ended {response.length:,} bytes early")
    origin = FileSource(url, response.headers["ETag"], response.headers["Last-Modified"])
    return Download(unpacked(url, data), _moment(origin.last_modified), origin)


def _moment(header: str | None) -> datetime.datetime | None:
    try:
        moment = email.utils.parsedate_to_datetime(header or "")
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)

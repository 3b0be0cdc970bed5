"""Downloads one file from a web server: a conditional request, with limits of time and size.

The timeout is for the whole download: a server that sends a byte now and then never exceeds the
timeout of a read. So the download runs in a thread, which is abandoned after the timeout.
"""

import datetime
import email.utils
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from types import MappingProxyType

import httpx

from originmap import __version__
from originmap.detect.content import MAX_BYTES, unpacked
from originmap.detect.errors import DownloadFailed
from originmap.detect.files import FileSource
from originmap.domain.server_url import InvalidServerURL, parse
from originmap.outbound.http import OutboundRoute, route_to

WEB = ("https://", "http://")
"""Prefixes of supported URLs."""

NOTHING_SET: Mapping[str, str] = MappingProxyType({})
"""An environment without a proxy and without certificates."""

_NOT_MODIFIED = 304
_MOST_REDIRECTS = 10


@dataclass(frozen=True, slots=True)
class Download:
    """The decompressed response of a server. `modified` is its Last-Modified, if valid."""

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
        raise DownloadFailed(url, f"no complete response within {seconds:g} s") from None


def _download(
    url: str, known: FileSource | None, seconds: float, environment: Mapping[str, str]
) -> Download | None:
    conditions = _conditions(known)
    headers = {"User-Agent": f"originmap/{__version__}", "Accept-Encoding": "gzip", **conditions}
    at = url
    for _ in range(_MOST_REDIRECTS + 1):
        route = _route(at, environment)
        try:
            with (
                route.client(headers, httpx.Timeout(seconds)) as client,
                client.stream("GET", at) as response,
            ):
                status = f"{response.status_code} {response.reason_phrase}"
                if response.has_redirect_location:
                    at = _redirected(at, response)
                elif response.status_code == _NOT_MODIFIED and conditions:
                    return None
                elif response.status_code != httpx.codes.OK:
                    raise DownloadFailed(url, f"the server responded {status}")
                else:
                    return _read(url, response)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            failure = route.failure(error)
            raise DownloadFailed(url, failure.reason, failure.hint) from error
    raise DownloadFailed(url, f"the server responded {status} more than {_MOST_REDIRECTS} times")


def _route(url: str, environment: Mapping[str, str]) -> OutboundRoute:
    """The route to the server of a URL: a redirect may lead to another server."""
    if not url.startswith(WEB):
        raise DownloadFailed(url, "not an http:// or https:// URL")
    try:
        parts = httpx.URL(url)
        port = "" if parts.port is None else f":{parts.port}"
        host = f"[{parts.host}]" if ":" in parts.host else parts.host
        server = parse(f"{parts.scheme}://{host}{port}")
    except (httpx.InvalidURL, InvalidServerURL) as error:
        raise DownloadFailed(url, str(error)) from None
    return route_to(server, environment)


def _redirected(url: str, response: httpx.Response) -> str:
    """The target of a redirect; never from https to http."""
    target = str(response.url.join(response.headers["location"]))
    if not target.startswith(WEB if url.startswith("http://") else "https://"):
        raise DownloadFailed(url, f"it redirects to {target}, which is not encrypted")
    return target


def _conditions(known: FileSource | None) -> dict[str, str]:
    """Request headers for a file that has changed (RFC 9110 §13.1)."""
    if known is None:
        return {}
    validators = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
    return {name: value for name, value in validators.items() if value is not None}


def _read(url: str, response: httpx.Response) -> Download:
    data = bytearray()
    try:
        for chunk in response.iter_raw():  # what gzip unpacks to is bounded by `unpacked`
            data += chunk
            if len(data) > MAX_BYTES:
                break
    except httpx.RemoteProtocolError as error:
        missing = int(response.headers.get("Content-Length", 0)) - len(data)
        if missing <= 0:
            raise
        raise DownloadFailed(url, f"the response ended {missing:,} bytes early") from error
    origin = FileSource(url, response.headers.get("ETag"), response.headers.get("Last-Modified"))
    return Download(unpacked(url, bytes(data)), _moment(origin.last_modified), origin)


def _moment(header: str | None) -> datetime.datetime | None:
    try:
        moment = email.utils.parsedate_to_datetime(header or "")
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)

"""Scripts, style and pictures: read and compressed once, on first use.

Their addresses contain a digest of all of them, so that browsers can keep them for ever and modules
can import each other by relative names. Leaflet's files are those of the installed package.
"""

import gzip
import hashlib
from collections.abc import Iterator
from importlib import metadata, resources
from pathlib import Path
from typing import NamedTuple

from originmap.api.http.request import Request
from originmap.api.http.response import Headers, Response
from originmap.api.ui.mount import BASE

_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "svg": "image/svg+xml",
}
_LEAFLET = ("leaflet.js", "leaflet.css")
_LEAFLET_FOLDER = "xstatic/pkg/leaflet/data"
_KEEP = ("cache-control", "public, max-age=31536000, immutable")
_SAFE = ("x-content-type-options", "nosniff")


class Asset(NamedTuple):
    """A file as it is served. `etag` is that of either form (RFC 9110 §8.8.3.3)."""

    plain: bytes
    zipped: bytes
    content_type: str
    etag: str


class Assets:
    """The files by name."""

    def __init__(self) -> None:
        self._files = dict(sorted(_files()))
        names_and_files = b"".join(name.encode() + data for name, data in self._files.items())
        self._version = hashlib.sha256(names_and_files).hexdigest()[:12]
        self._ready: dict[str, Asset] = {}

    def url(self, name: str) -> str:
        """The address of a file. Raises KeyError for an unknown name."""
        self._files[name]
        return f"{BASE}/assets/{self._version}/{name}"

    def response(self, request: Request) -> Response | None:
        """The response with a file; None if there is none of that name and version."""
        name = request.arguments["name"]
        if request.arguments["version"] != self._version or name not in self._files:
            return None
        asset = self._ready.get(name)
        if asset is None:
            asset = self._ready[name] = _asset(self._files[name], name)
        headers: Headers = (_KEEP, _SAFE, ("etag", asset.etag), ("vary", "Accept-Encoding"))
        if request.header(b"if-none-match") == asset.etag:
            return Response(b"", 304, headers, content_type="")
        if accepts_gzip(request):
            headers += (("content-encoding", "gzip"),)
            return Response(asset.zipped, 200, headers, asset.content_type)
        return Response(asset.plain, 200, headers, asset.content_type)


def accepts_gzip(request: Request) -> bool:
    """Whether the client reads gzip (RFC 9110 §12.5.3)."""
    for coding in (request.header(b"accept-encoding") or "").split(","):
        name, _, weight = coding.replace(" ", "").lower().partition(";")
        if name == "gzip":
            return weight not in ("q=0", "q=0.0")
    return False


def _asset(data: bytes, name: str) -> Asset:
    etag = f'W/"{hashlib.sha256(data).hexdigest()[:16]}"'
    return Asset(data, gzip.compress(data, 9, mtime=0), _TYPES[name.rpartition(".")[2]], etag)


def _files() -> Iterator[tuple[str, bytes]]:
    for file in resources.files("originmap.api.ui").joinpath("assets").iterdir():
        if file.name.rpartition(".")[2] in _TYPES:
            yield file.name, file.read_bytes()
    leaflet = metadata.distribution("xstatic-leaflet")
    for name in _LEAFLET:
        yield name, Path(str(leaflet.locate_file(f"{_LEAFLET_FOLDER}/{name}"))).read_bytes()

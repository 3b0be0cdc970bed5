"""What caches load: GET /originmap/v1/export/{format}."""

from functools import partial

from falcon.asgi import Request, Response

from originmap.api.auth import Guard
from originmap.api.native.arguments import arguments
from originmap.api.native.files import Files
from originmap.api.native.zones_asked import ZonesAsked
from originmap.api.stream import unread
from originmap.domain.errors import InvalidQuery
from originmap.service.exports import Exports, Wanted

_KNOWN = ("zone", "colo", "file", "upstream")


class ExportFile:
    """GET /originmap/v1/export/{format}"""

    def __init__(self, guard: Guard, zones: ZonesAsked, exports: Exports, files: Files) -> None:
        self._guard = guard
        self._zones = zones
        self._exports = exports
        self._files = files

    async def on_get(self, req: Request, resp: Response, format: str) -> None:
        """A file for one node, of each `zone` or of all that the credential may read; nothing
        but 304 where the sender has it already."""
        caller = self._guard.caller(req)
        values = arguments(req, _KNOWN)
        colo = _one(values, "colo")
        wanted = Wanted(
            format, _one(values, "file"), colo and colo.upper(), values.get("upstream", ())
        )
        names = values.get("zone", [])
        zones = partial(self._zones.of, req, caller, names)
        await self._exports.tiers_at_hand()
        export = self._exports.prepare(wanted, zones())
        if _has(req, export.tag):
            resp.set_header("ETag", export.tag)
            resp.status = 304
            return
        if req.method == "HEAD":
            resp.stream = unread()
        else:
            reader = self._files.reader(caller)
            export, chunks = await self._exports.begin(wanted, zones, reader)
            self._files.send(req, resp, caller, chunks)
        resp.content_type = export.file.media_type
        resp.set_header("ETag", export.tag)


def _one(values: dict[str, list[str]], name: str) -> str | None:
    """An argument that may be given once."""
    given = values.get(name, [])
    if len(given) > 1:
        raise InvalidQuery(f"{name} may be given once")
    return given[0] if given else None


def _has(req: Request, tag: str) -> bool:
    """Whether If-None-Match names the tag (RFC 9110 §13.1.2)."""
    return any(known == "*" or known.dumps() == tag for known in req.if_none_match or ())

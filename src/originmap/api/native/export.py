"""What caches load: GET /originmap/v1/export/{format}."""

from falcon.asgi import Request, Response

from originmap.api.auth import Guard
from originmap.api.native.arguments import arguments
from originmap.api.request import info_of
from originmap.domain.access import READ_MAPPINGS
from originmap.domain.errors import InvalidQuery
from originmap.domain.zone import Zone
from originmap.service.directory import Caller, Directory
from originmap.service.exports import Exports, Wanted

_KNOWN = ("zone", "colo", "file", "upstream")


class ExportFile:
    """GET /originmap/v1/export/{format}"""

    def __init__(self, guard: Guard, directory: Directory, exports: Exports) -> None:
        self._guard = guard
        self._directory = directory
        self._exports = exports

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
        export = self._exports.prepare(wanted, self._zones(req, caller, names))
        if _has(req, export.tag):
            resp.set_header("ETag", export.tag)
            resp.status = 304
            return
        resp.content_type = export.file.media_type
        if req.method == "HEAD":
            resp.set_header("ETag", export.tag)
            return
        export, chunks = await self._exports.begin(wanted, lambda: self._zones(req, caller, names))
        resp.set_header("ETag", export.tag)
        resp.stream = chunks

    def _zones(self, req: Request, caller: Caller, names: list[str]) -> list[Zone]:
        """The zones named, by id or name, or all that the caller may read."""
        access = self._guard.access
        if not names:
            return access.readable_zones(caller, READ_MAPPINGS)
        found = {}
        for name in names:
            zone = access.zone(caller, READ_MAPPINGS, self._directory.zone_id(name))
            found[zone.id] = zone
        if len(found) == 1:
            info_of(req.scope).zone_id = next(iter(found))
        return list(found.values())


def _one(values: dict[str, list[str]], name: str) -> str | None:
    """An argument that may be given once."""
    given = values.get(name, [])
    if len(given) > 1:
        raise InvalidQuery(f"{name} may be given once")
    return given[0] if given else None


def _has(req: Request, tag: str) -> bool:
    """Whether If-None-Match names the tag (RFC 9110 §13.1.2)."""
    return any(known == "*" or known.dumps() == tag for known in req.if_none_match or ())

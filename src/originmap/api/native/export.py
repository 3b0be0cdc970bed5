"""What caches load: GET /originmap/v1/export/{format}."""

from functools import partial

from falcon.asgi import Request, Response

from originmap.api.auth import Guard
from originmap.api.native.arguments import arguments
from originmap.api.native.files import Files
from originmap.api.native.zones_asked import ZonesAsked
from originmap.api.stream import unread
from originmap.domain.errors import InvalidQuery
from originmap.service.chunks import Chunks
from originmap.service.exports import Exports, Wanted
from originmap.service.followers import NAME

_KNOWN = ("zone", "colo", "file", "upstream", "rollout", "node")
_STATES = {None: False, "newest": False, "served": True}


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
        caller = self._guard.caller(req, nodes=True)
        values = arguments(req, _KNOWN)
        colo = _one(values, "colo")
        wanted = Wanted(
            format,
            _one(values, "file"),
            colo and colo.upper(),
            values.get("upstream", ()),
            served=_served(values),
            node=_one(values, "node"),
        )
        names = values.get("zone", [])
        zones = partial(self._zones.of, req, caller, names)
        reader = self._files.reader(caller)
        chunks: Chunks | None = None
        await self._exports.tiers_at_hand()
        if self._exports.keeps_back(wanted):  # only the state of then has the tag of then
            export, chunks = await self._exports.begin(wanted, zones, reader)
        else:
            export = self._exports.prepare(wanted, zones())
        if _has(req, export.tag) or req.method == "HEAD":
            if chunks is not None:
                await chunks.aclose()
            if _has(req, export.tag):
                resp.set_header("ETag", export.tag)
                resp.status = 304
                return
            resp.stream = unread()
        else:
            if chunks is None:
                export, chunks = await self._exports.begin(wanted, zones, reader)
            self._files.send(req, resp, caller, chunks)
        resp.content_type = export.file.media_type
        resp.set_header("ETag", export.tag)


def _served(values: dict[str, list[str]]) -> bool:
    """Whether it is what nodes serve under a rollout."""
    asked = _one(values, "rollout")
    if asked not in _STATES:
        raise InvalidQuery(f"rollout is served or newest, not {asked!r}")
    if not _STATES[asked] and "node" in values:
        raise InvalidQuery("node goes with rollout=served")
    if not all(map(NAME.fullmatch, values.get("node", ()))):
        raise InvalidQuery("node must be up to 64 letters, digits and _ . : -")
    return _STATES[asked]


def _one(values: dict[str, list[str]], name: str) -> str | None:
    """An argument that may be given once."""
    given = values.get(name, [])
    if len(given) > 1:
        raise InvalidQuery(f"{name} may be given once")
    return given[0] if given else None


def _has(req: Request, tag: str) -> bool:
    """Whether If-None-Match names the tag (RFC 9110 §13.1.2)."""
    return any(known == "*" or known.dumps() == tag for known in req.if_none_match or ())

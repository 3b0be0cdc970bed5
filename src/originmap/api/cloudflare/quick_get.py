"""The hot path: GET of one mapping, answered at once when nothing stands in its way.

Most requests of a cache network are this one. Answered on the wire (`api.protocol`), without a
task, an ASGI scope or the framework, it costs a few dictionary lookups and a read. Only the plain
success is answered here: an unconditional bearer token that may read the zone, and an address
that has a mapping. Everything else, every refusal included, goes the long way, so that no rule is
said twice.
"""

from collections.abc import Sequence
from hashlib import sha256

from originmap.api import envelope
from originmap.api.auth import bearer_of
from originmap.api.cloudflare.mapping_json import entry
from originmap.api.protocol import QuickAnswer
from originmap.api.request import RequestInfo
from originmap.domain import address as addresses
from originmap.domain.access import READ_MAPPINGS
from originmap.domain.errors import OriginmapError
from originmap.service.access import Access
from originmap.service.mappings import Mappings

_BEFORE, _BETWEEN = b"/client/v4/zones/", b"/origin/cloud_regions/"
_ZONE = slice(len(_BEFORE), len(_BEFORE) + 32)
_MIDDLE = slice(_ZONE.stop, _ZONE.stop + len(_BETWEEN))
_ADDRESS = slice(_MIDDLE.stop, None)
_MAX_KNOWN = 100_000

ROUTE = "/client/v4/zones/{zone_id:hex32}/origin/cloud_regions/{origin_ip}"
"""The one route that is answered here."""

Headers = Sequence[tuple[bytes, bytes]]


class QuickGet:
    """Answers what it can."""

    def __init__(self, access: Access, mappings: Mappings) -> None:
        self._access = access
        self._mappings = mappings
        # Who may read which zone: by the hash of the credential, so that no secret is kept.
        self._known: dict[tuple[bytes, bytes], str] = {}

    def forget(self, changes: object) -> None:
        """Look rights up anew: a zone, a token or a user changed; a `RecordListener`."""
        self._known.clear()

    def answer(self, url: bytes, headers: Headers, info: RequestInfo) -> QuickAnswer | None:
        """The answer to GET `url`, or None where the long way must be gone."""
        if not url.startswith(_BEFORE) or url[_MIDDLE] != _BETWEEN:
            return None
        credentials = [value for name, value in headers if name == b"authorization"]
        if len(credentials) != 1:
            return None
        key = (sha256(credentials[0]).digest(), url[_ZONE])
        caller = self._known.get(key) or self._learn(credentials[0], key, info.client)
        if caller is None:
            return None
        zone_id = key[1].decode()
        try:
            address = addresses.parse(url[_ADDRESS].decode("latin-1"))
            mapping = self._mappings.get_now(zone_id, address)
        except OriginmapError:
            return None
        if mapping is None:
            return None
        info.credential, info.zone_id, info.route = caller, zone_id, ROUTE
        return QuickAnswer(b'etag: "%d"\r\n' % mapping.revision, envelope.success(entry(mapping)))

    def _learn(self, header: bytes, key: tuple[bytes, bytes], client: str) -> str | None:
        """The id of the credential, if it is one that may read this zone at any time and from
        anywhere."""
        try:
            caller = self._access.by_token(bearer_of(header.decode("latin-1")), client)
            self._access.zone(caller, READ_MAPPINGS, key[1].decode("latin-1"))
        except OriginmapError:
            return None
        if caller.token is None or caller.token.conditional:
            return None
        if len(self._known) >= _MAX_KNOWN:
            self._known.clear()
        self._known[key] = caller.id
        return caller.id

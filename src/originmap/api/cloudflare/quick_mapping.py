"""The hot path: GET and PUT of one mapping, answered past the framework.

Most requests of a cache network are these. Answered on the wire (`api.protocol`), without an ASGI
scope or the framework, a GET costs a few dictionary lookups and a read, and a PUT little more than
its share of a commit. Only what nothing stands in the way of is answered here: an unconditional
bearer token that may do it in the zone, a GET of an address, a PUT of what its URL says. Everything
else, every refusal of a request included, goes the long way, so that no rule is said twice. What
the store refuses, or does not have, is answered as there, by `api.refused`.
"""

import asyncio
from hashlib import sha256

from originmap.api import envelope
from originmap.api.auth import bearer_of
from originmap.api.cloudflare.mapping_json import entry, read_request
from originmap.api.cloudflare.notes import notes_on
from originmap.api.preconditions import etag
from originmap.api.quick import Headers, Later, QuickAnswer, lines
from originmap.api.refused import refused
from originmap.api.request import RequestInfo
from originmap.domain import address as addresses
from originmap.domain.access import READ_MAPPINGS, WRITE_MAPPINGS, Need
from originmap.domain.address import Address
from originmap.domain.errors import OriginmapError, StoreError
from originmap.domain.mapping import Mapping
from originmap.service.access import Access
from originmap.service.detector import Detector
from originmap.service.mappings import Mappings

_BEFORE, _BETWEEN = b"/client/v4/zones/", b"/origin/cloud_regions/"
_ZONE = slice(len(_BEFORE), len(_BEFORE) + 32)
_MIDDLE = slice(_ZONE.stop, _ZONE.stop + len(_BETWEEN))
_ADDRESS = slice(_MIDDLE.stop, None)
_MAX_KNOWN = 100_000

ROUTE = "/client/v4/zones/{zone_id:hex32}/origin/cloud_regions/{origin_ip}"
"""The one route that is answered here."""


class QuickMapping:
    """As `api.quick.Quick`."""

    def __init__(self, access: Access, mappings: Mappings, detector: Detector) -> None:
        self._readers = _Known(access, READ_MAPPINGS)
        self._writers = _Known(access, WRITE_MAPPINGS)
        self._mappings = mappings
        self._detector = detector

    def forget(self, changes: object) -> None:
        """Look rights up anew: a zone, a token or a user changed; a `RecordListener`."""
        self._readers.clear()
        self._writers.clear()

    def get(self, url: bytes, headers: Headers, info: RequestInfo) -> QuickAnswer | Later | None:
        """As `Quick.get`."""
        if not self._readers.admit(url, headers, info):
            return None
        try:
            address = addresses.parse(url[_ADDRESS].decode("latin-1"))
            mapping = self._mappings.get_now(info.zone_id, address)
        except OriginmapError:
            return None
        return self._read(address, url, info) if mapping is None else _success(mapping)

    def put(
        self, url: bytes, headers: Headers, body: bytes, info: RequestInfo
    ) -> QuickAnswer | Later | None:
        """As `Quick.put`."""
        if any(name == b"if-match" for name, _ in headers):
            return None
        if not self._writers.admit(url, headers, info):
            return None
        try:
            address = addresses.parse(url[_ADDRESS].decode("latin-1"))
            item = read_request(body)
            if addresses.parse(item.origin_ip) != address:
                return None
            place, cause = (item.vendor, item.region), info.cause()
            putting = self._mappings.put(info.zone_id, address, *place, cause)
        except StoreError as error:
            return _refusal(error, url, info)
        except OriginmapError:
            return None

        def answer() -> QuickAnswer:
            try:
                mapping = putting.mapping()
                notes = notes_on(self._detector, [(mapping.address, mapping.place)])
            except Exception as error:
                return _refusal(error, url, info)
            return _success(mapping, notes)

        return Later(putting.committed, answer)

    def _read(self, address: Address, url: bytes, info: RequestInfo) -> Later:
        reading = asyncio.get_running_loop().create_task(self._mappings.get(info.zone_id, address))

        def answer() -> QuickAnswer:
            try:
                return _success(reading.result())
            except Exception as error:
                return _refusal(error, url, info)

        return Later(reading, answer)


class _Known:
    """Who may do what `need` says in which zone."""

    def __init__(self, access: Access, need: Need) -> None:
        self._access = access
        self._need = need
        # By the hash of the credential, so that no secret is kept.
        self._callers: dict[tuple[bytes, bytes], str] = {}

    def clear(self) -> None:
        """Forget them all."""
        self._callers.clear()

    def admit(self, url: bytes, headers: Headers, info: RequestInfo) -> bool:
        """Whether this is about one mapping and by a token that may do it; `info` is told so."""
        if not url.startswith(_BEFORE) or url[_MIDDLE] != _BETWEEN:
            return False
        credentials = [value for name, value in headers if name == b"authorization"]
        if len(credentials) != 1:
            return False
        key = (sha256(credentials[0]).digest(), url[_ZONE])
        caller = self._callers.get(key) or self._learn(credentials[0], key, info.client)
        if caller is None:
            return False
        info.credential, info.zone_id, info.route = caller, key[1].decode(), ROUTE
        return True

    def _learn(self, header: bytes, key: tuple[bytes, bytes], client: str) -> str | None:
        """The id of the credential, if it is one that may do it at any time and from anywhere."""
        try:
            caller = self._access.by_token(bearer_of(header.decode("latin-1")), client)
            self._access.zone(caller, self._need, key[1].decode("latin-1"))
        except OriginmapError:
            return None
        if caller.token is None or caller.token.conditional:
            return None
        if len(self._callers) >= _MAX_KNOWN:
            self._callers.clear()
        self._callers[key] = caller.id
        return caller.id


def _success(mapping: Mapping, notes: list[envelope.Message] | None = None) -> QuickAnswer:
    headers = f"etag: {etag(mapping)}\r\n".encode()
    return QuickAnswer(200, headers, envelope.success(entry(mapping), notes))


def _refusal(error: Exception, url: bytes, info: RequestInfo) -> QuickAnswer:
    refusal = refused(error, url.decode("latin-1"), info)
    # It holds the frames that hold the future that holds it: a circle for each refusal.
    error.__traceback__ = None
    return QuickAnswer(refusal.status, lines(refusal.headers), envelope.failure(refusal.errors))

"""Zones and their mappings through the v4 API: whole lists, and batches of changes.

Owns what is asked, a page or a batch at a time; how a request is sent and repeated is the
connection's. Addresses and places are parsed here, once.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import msgspec

from originmap.client.connection import Connection
from originmap.client.errors import ListUnsteady, NoSuchZone, Unreadable
from originmap.domain import address as addresses
from originmap.domain.address import Address
from originmap.domain.errors import InvalidAddress
from originmap.domain.mapping import Place
from originmap.domain.plan import Batch
from originmap.domain.zone_name import lookup_name

T = TypeVar("T")

PER_PAGE = 100
"""Mappings on a page: the most the API allows."""
ZONES_PER_PAGE = 50
_TRIES = 3


class RemoteZone(NamedTuple):
    """A zone as the API names it."""

    id: str
    name: str


class Unapplied(NamedTuple):
    """A mapping of a batch that was not written, and why."""

    origin_ip: str
    error: str


class _Zone(msgspec.Struct):
    id: str
    name: str


class _Entry(msgspec.Struct):
    origin_ip: str
    vendor: str
    region: str


class _Failed(msgspec.Struct):
    origin_ip: str = ""
    error: str = ""


class _Outcome(msgspec.Struct):
    failed: list[_Failed]


_ZONES = msgspec.json.Decoder(list[_Zone])
_ZONE = msgspec.json.Decoder(_Zone)
_ENTRIES = msgspec.json.Decoder(list[_Entry])
_OUTCOME = msgspec.json.Decoder(_Outcome)


class _Moved(Exception):
    """The list changed while it was read."""


class RemoteMappings:
    """The zones and mappings that the credentials of a connection reach."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._places: dict[tuple[str, str], Place] = {}  # each once, however often it is named

    def zones(self) -> list[RemoteZone]:
        """Every zone, by name. Raises ClientError."""
        found: dict[str, RemoteZone] = {}
        page, pages = 1, 1
        while page <= pages:
            zones, pages = self._zone_page(page)
            found |= {zone.id: zone for zone in zones}
            page += 1
        return sorted(found.values(), key=lambda zone: (zone.name, zone.id))

    def zone_named(self, name: str) -> RemoteZone:
        """The zone of this name. Raises ClientError."""
        answer = self.connection.ask("GET", "/zones", {"name": name, "per_page": "50"})
        zones = [zone for zone in _read(_ZONES, answer.result, "/zones") if _same(zone, name)]
        if len(zones) != 1:
            raise NoSuchZone(name, len(zones))
        return RemoteZone(zones[0].id, name)

    def zones_named(self, names: Sequence[str]) -> dict[str, RemoteZone]:
        """The zones of these names, in as few requests as possible. Raises ClientError."""
        first, pages = self._zone_page(1) if len(names) > 1 else ([], len(names) + 1)
        if pages > len(names):
            return {name: self.zone_named(name) for name in names}
        zones = [
            *first,
            *(zone for page in range(2, pages + 1) for zone in self._zone_page(page)[0]),
        ]
        named: dict[str, RemoteZone] = {}
        for name in names:
            ids = {zone.id for zone in zones if _same(zone, name)}
            if len(ids) != 1:
                raise NoSuchZone(name, len(ids))
            named[name] = RemoteZone(ids.pop(), name)
        return named

    def zone_of_id(self, zone_id: str) -> RemoteZone:
        """The zone with this id. Raises ClientError."""
        path = f"/zones/{zone_id}"
        zone = _read(_ZONE, self.connection.ask("GET", path).result, path)
        return RemoteZone(zone.id, zone.name)

    def mappings(self, zone_id: str) -> dict[Address, Place]:
        """Every mapping of a zone: a list that is complete, or none.

        Raises ListUnsteady when others keep writing to the zone meanwhile, ClientError.
        """
        for _ in range(_TRIES):
            try:
                return self._list(zone_id)
            except _Moved:
                continue
        raise ListUnsteady(f"the list of mappings of zone {zone_id}")

    def write(self, batch: Batch) -> list[Unapplied]:
        """Make the changes of a batch; those that were refused, each with its reason.

        To write a batch again is harmless. Where it deletes, a mapping that is gone already is
        among those refused: only a look at the list tells whether something is wrong.
        """
        path = f"{_path(batch.zone_id)}/batch"
        if batch.delete:
            body: list[object] = [addresses.text(change.address) for change in batch.changes]
            answer = self.connection.ask("DELETE", path, body=body)
        else:
            body = [_item(change.address, change.after) for change in batch.changes]
            answer = self.connection.ask("PUT", path, body=body)
        outcome = _read(_OUTCOME, answer.result, path)
        return [Unapplied(failed.origin_ip, failed.error) for failed in outcome.failed]

    def _zone_page(self, page: int) -> tuple[list[RemoteZone], int]:
        params = {"page": str(page), "per_page": str(ZONES_PER_PAGE)}
        answer = self.connection.ask("GET", "/zones", params)
        zones = _read(_ZONES, answer.result, "/zones")
        total = answer.result_info.total_count if answer.result_info else len(zones)
        return [RemoteZone(zone.id, zone.name) for zone in zones], _pages(total, ZONES_PER_PAGE)

    def _list(self, zone_id: str) -> dict[Address, Place]:
        found: dict[Address, Place] = {}
        total, seen = None, 0
        page = 1
        while total is None or page <= _pages(total, PER_PAGE):
            entries, counted = self._page(zone_id, page)
            if total not in (None, counted):
                raise _Moved
            total, seen = counted, seen + len(entries)
            for entry in entries:
                found[self._address(entry, zone_id)] = self._place(entry)
            page += 1
        if not len(found) == seen == total:
            raise _Moved
        return found

    def _page(self, zone_id: str, page: int) -> tuple[list[_Entry], int]:
        path = _path(zone_id)
        params = {"page": str(page), "per_page": str(PER_PAGE)}
        answer = self.connection.ask("GET", path, params)
        if answer.result_info is None:
            raise Unreadable(f"GET {path}", 200)
        return _read(_ENTRIES, answer.result, path), answer.result_info.total_count

    def _place(self, entry: _Entry) -> Place:
        key = (entry.vendor, entry.region)
        return self._places.setdefault(key, Place(*key))

    @staticmethod
    def _address(entry: _Entry, zone_id: str) -> Address:
        try:
            return addresses.parse(entry.origin_ip)
        except InvalidAddress:
            raise Unreadable(f"{_path(zone_id)}: {entry.origin_ip!r}", 200) from None


def _same(zone: _Zone | RemoteZone, name: str) -> bool:
    """Whether a zone is the one that is called `name`, in Unicode or in A-labels."""
    return lookup_name(zone.name) == lookup_name(name)


def _path(zone_id: str) -> str:
    return f"/zones/{zone_id}/origin/cloud_regions"


def _pages(total: int, per_page: int) -> int:
    return -(-total // per_page)


def _item(address: Address, place: Place | None) -> dict[str, str]:
    assert place is not None
    return {"origin_ip": addresses.text(address), "vendor": place.vendor, "region": place.region}


def _read(decoder: msgspec.json.Decoder[T], raw: msgspec.Raw, what: str) -> T:
    try:
        return decoder.decode(raw)
    except msgspec.MsgspecError:
        raise Unreadable(what, 200) from None

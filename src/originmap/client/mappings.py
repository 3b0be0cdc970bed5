"""Zones and their mappings through the v4 API: complete lists, and batches of changes.

Owns the requests and the parsing of addresses and regions; `connection` sends and retries them.
"""

from collections.abc import Sequence
from operator import itemgetter
from typing import NamedTuple, TypeVar

import msgspec

from originmap.client.connection import APIConnection
from originmap.client.envelope import Envelope, PageInfo, on_one_line, reason
from originmap.client.errors import NoPools, NoSuchZone, Refused, Unreadable
from originmap.client.listing import MappingListing, read_whole
from originmap.client.native import native_base, own_regions
from originmap.domain.errors import InvalidAddress
from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Place
from originmap.domain.mapping.own_regions import OwnRegions
from originmap.domain.plan.plan import Batch
from originmap.domain.zone.name import lookup_name
from originmap.domain.zone.pool import Pool

T = TypeVar("T")

PER_PAGE = 100
"""Mappings on a page: the most the API allows."""
ZONES_PER_PAGE = 50


class RemoteZone(NamedTuple):
    """A zone by the API's ID and name."""

    id: str
    name: str


class Unapplied(NamedTuple):
    """A mapping of a batch that was not written, and the reason."""

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
    origin_ip: str | None = None
    error: object = None


class _Outcome(msgspec.Struct):
    failed: list[_Failed] | None = None


class _Pool(msgspec.Struct):
    name: str
    members: list[str]


class _Pools(msgspec.Struct):
    pools: list[_Pool]


_POOLS = msgspec.json.Decoder(_Pools)
_ZONES = msgspec.json.Decoder(list[_Zone] | None)
_ZONE = msgspec.json.Decoder(_Zone)
_ENTRIES = msgspec.json.Decoder(list[_Entry] | None)
_OUTCOME = msgspec.json.Decoder(_Outcome | None)


class RemoteMappings:
    """The zones and mappings that a connection's credentials give access to."""

    def __init__(self, connection: APIConnection) -> None:
        self.connection = connection
        self._places: dict[tuple[str, str], Place] = {}  # shared objects save memory
        self._own: OwnRegions | None = None

    def own_regions(self) -> OwnRegions:
        """The own regions of the server, read once; none if it is not an Originmap. From then on
        mappings to them are written by its own route, because that of the v4 API may not know
        them."""
        if self._own is None:
            self._own = own_regions(self.connection)
        return self._own

    def zones(self) -> list[RemoteZone]:
        """Every zone, sorted by name. Raises ClientError."""
        zones = read_whole("the list of zones", self._zone_listing)
        return sorted(zones, key=lambda zone: (zone.name, zone.id))

    def zone_named(self, name: str) -> RemoteZone:
        """The zone of this name. Raises ClientError."""
        what = f"the list of zones called {name}"
        listed = read_whole(what, lambda: self._zone_listing(name))
        zones = [zone for zone in listed if _same(zone, name)]
        if len(zones) != 1:
            raise NoSuchZone(name, len(zones))
        return RemoteZone(zones[0].id, name)

    def zones_named(self, names: Sequence[str]) -> dict[str, RemoteZone]:
        """The zones of these names, in as few requests as possible. Raises ClientError."""
        listing = self._zone_listing()
        if len(names) > 1:
            listing.read_page()
        if not listing.complete and _pages(listing) > len(names):
            return {name: self.zone_named(name) for name in names}
        zones = read_whole("the list of zones", self._zone_listing, listing)
        named: dict[str, RemoteZone] = {}
        for name in names:
            ids = {zone.id for zone in zones if _same(zone, name)}
            if len(ids) != 1:
                raise NoSuchZone(name, len(ids))
            named[name] = RemoteZone(ids.pop(), name)
        return named

    def zone_of_id(self, zone_id: str) -> RemoteZone:
        """The zone with this ID. Raises ClientError."""
        path = f"/zones/{zone_id}"
        zone = _read(_ZONE, self.connection.ask("GET", path), path)
        return RemoteZone(zone.id, on_one_line(zone.name))

    def mappings(self, zone_id: str) -> dict[Address, Place]:
        """Every mapping of a zone; never a partial list.

        Raises ListUnsteady if other clients keep writing to the zone, ClientError.
        """
        path = _path(zone_id)

        def read(page: int) -> tuple[list[tuple[Address, Place]], PageInfo]:
            answer = self.connection.ask("GET", path, _page(page, PER_PAGE))
            entries = _read(_ENTRIES, answer, path) or []
            items = [(self._address(each, zone_id), self._place(each)) for each in entries]
            return items, answer.result_info

        what = f"the list of mappings of zone {zone_id}"
        return dict(read_whole(what, lambda: MappingListing(read, itemgetter(0), PER_PAGE)))

    def write(self, batch: Batch) -> list[Unapplied]:
        """Write the changes of a batch. Returns the rejected changes with their reasons.

        Writing a batch again is harmless. A deletion is also rejected if the mapping does not
        exist, so only the list shows whether it failed. Raises ClientError.
        """
        path = self._batch_path(batch)
        if batch.delete:
            body: list[object] = [addresses.text(change.address) for change in batch.changes]
            answer = self.connection.ask("DELETE", path, body=body)
        else:
            body = [_item(change.address, change.after) for change in batch.changes]
            answer = self.connection.ask("PUT", path, body=body)
        outcome = _read(_OUTCOME, answer, path) if answer.has_result else None
        failed = (outcome and outcome.failed) or []
        return [Unapplied(_canonical(each.origin_ip or ""), reason(each.error)) for each in failed]

    def _batch_path(self, batch: Batch) -> str:
        own = self._own.by_place() if self._own else {}
        if any(change.after in own for change in batch.changes):
            return f"{native_base(self.connection)}/zones/{batch.zone_id}/mappings/batch"
        return f"{_path(batch.zone_id)}/batch"

    def pools(self, zone_id: str) -> tuple[Pool, ...]:
        """The load-balancing pools of a zone. Raises NoPools if the server is not an Originmap,
        ClientError."""
        path = self._pools_path(zone_id)
        try:
            found = _read(_POOLS, self.connection.ask("GET", path), path)
        except (Refused, Unreadable) as error:
            if getattr(error, "status", 404) not in (400, 404):
                raise
            raise NoPools(self.connection.base_url) from error
        return tuple(
            Pool(on_one_line(pool.name), tuple(map(on_one_line, pool.members)))
            for pool in found.pools
        )

    def set_pools(self, zone_id: str, pools: Sequence[Pool]) -> None:
        """Replace the pools of a zone; repeating it is harmless. Raises NoPools, ClientError."""
        body = {"pools": [{"name": pool.name, "members": [*pool.members]} for pool in pools]}
        self.connection.ask("PUT", self._pools_path(zone_id), body=body)

    def _pools_path(self, zone_id: str) -> str:
        native = native_base(self.connection)
        if native is None:
            raise NoPools(self.connection.base_url)
        return f"{native}/zones/{zone_id}/pools"

    def _zone_listing(self, name: str | None = None) -> MappingListing[RemoteZone]:
        named = {} if name is None else {"name": name}

        def read(page: int) -> tuple[list[RemoteZone], PageInfo]:
            answer = self.connection.ask("GET", "/zones", named | _page(page, ZONES_PER_PAGE))
            zones = _read(_ZONES, answer, "/zones") or []
            found = [RemoteZone(zone.id, on_one_line(zone.name)) for zone in zones]
            return found, answer.result_info

        return MappingListing(read, itemgetter(0), ZONES_PER_PAGE)

    def _place(self, entry: _Entry) -> Place:
        key = (entry.vendor, entry.region)
        if key not in self._places:
            self._places[key] = Place(*map(on_one_line, key))
        return self._places[key]

    @staticmethod
    def _address(entry: _Entry, zone_id: str) -> Address:
        try:
            return addresses.parse(entry.origin_ip)
        except InvalidAddress:
            description = f"origin_ip is {entry.origin_ip!r}"
            raise Unreadable(_path(zone_id), 200, description) from None


def _same(zone: RemoteZone, name: str) -> bool:
    """Whether a zone has this name, in Unicode or as A-labels."""
    return lookup_name(zone.name) == lookup_name(name)


def _path(zone_id: str) -> str:
    return f"/zones/{zone_id}/origin/cloud_regions"


def _page(number: int, per_page: int) -> dict[str, str]:
    return {"page": str(number), "per_page": str(per_page)}


def _pages(listing: MappingListing[RemoteZone]) -> float:
    """The number of pages of a list, from its total and the first page."""
    if listing.total is None or not listing.items:
        return float("inf")
    return -(-listing.total // len(listing.items))


def _item(address: Address, place: Place | None) -> dict[str, str]:
    assert place is not None
    return {"origin_ip": addresses.text(address), "vendor": place.vendor, "region": place.region}


def _read(decoder: msgspec.json.Decoder[T], answer: Envelope, what: str) -> T:
    if not answer.has_result:
        raise Unreadable(what, 200, "it has no result")
    try:
        return decoder.decode(answer.result)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(what, 200, str(error)) from None


def _canonical(text: str) -> str:
    """An address in the form of plans; any other text as it is."""
    try:
        return addresses.text(addresses.parse(text))
    except InvalidAddress:
        return on_one_line(text)

"""A node of the cache network: which zones it serves, and where it fills each of their origins
from.

A *chain* is the upper tier and its fallbacks, in order; an empty one is the origin itself. It is
cut at the node's own colo: a node that is the upper tier asks the origin, and one that is a
fallback asks the upper tier alone.
"""

from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import replace
from itertools import takewhile
from typing import NamedTuple

from originmap.domain.errors import InvalidExport, InvalidZoneName
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Mapping, Place
from originmap.domain.tier.resolution import Mode, Resolution, resolve
from originmap.domain.tier.tier import Basis, Ranked, Tiers, choose, distance_km
from originmap.domain.tier.topology import Colo
from originmap.domain.zone.zone import Zone, checked_name
from originmap.export.endpoint import Addresses, Endpoint, Endpoints

Chain = tuple[str, ...]
ORIGIN = "originmap-origin"
"""What the operator calls the way to the origin itself."""

_NOWHERE = Endpoints()
_PIECE = 1_000
"""Rows."""


class Row(NamedTuple):
    """A mapping, and where its origin is filled from."""

    address: Address
    place: Place
    mode: Mode
    chain: Chain
    mapping: Mapping


class ZonePart(NamedTuple):
    """A zone with its mappings in the order of their addresses; `default` is the chain of its
    origins without one."""

    id: str
    name: str
    default: Chain
    rows: Sequence[Row]

    def pieces(self) -> Iterator[Sequence[Row]]:
        """The rows in pieces, at least one: other work goes on between two of them."""
        for start in range(0, len(self.rows) or 1, _PIECE):
            yield self.rows[start : start + _PIECE]


class Node:
    """A node of the cache network, and all that an export needs besides the mappings, which come
    zone by zone in the order of `zones`."""

    def __init__(
        self,
        zones: Iterable[Zone],
        tiers: Tiers,
        places: Iterable[Place],
        colo: str | None = None,
        endpoints: Endpoints = _NOWHERE,
    ) -> None:
        """`places`: those that a mapping may name; `colo`: where the node is, if it is in one.
        Raises InvalidExport where the topology has no such colo, and InvalidZoneName."""
        self.zones = tuple(sorted(zones, key=lambda zone: zone.id))
        for zone in self.zones:
            if checked_name(zone.name) != zone.name:
                raise InvalidZoneName(zone.name)
        self._colo = colo
        self._tiers = tiers
        self._colos = tiers.topology.by_code()
        self._endpoints = endpoints
        self._generic = self._nearest(colo)
        self._ways = {place: self._cut(tiers.codes(place)) for place in places if tiers.of(place)}
        self.chains: tuple[Chain, ...] = tuple(sorted({*self._ways.values(), self._generic} - {()}))
        """Every chain that a mapping can come to, so that an origin that moves needs no new one."""

    def colos(self) -> tuple[Colo, ...]:
        """The colos of all chains, by code."""
        return tuple(self._colos[code] for code in sorted({c for ch in self.chains for c in ch}))

    def colo_of(self, code: str) -> Colo:
        """A colo of a chain."""
        return self._colos[code]

    def endpoint(self, code: str) -> Endpoint:
        """Where a colo listens. Raises InvalidExport where nobody said."""
        return self._endpoints.of(code)

    def endpoints(self, code: str, *, a_family: bool = False) -> tuple[Endpoint, ...]:
        return self._endpoints.all(code, a_family=a_family)

    def names(self) -> tuple[str, ...]:
        """The names that the colos of all chains listen on, for whoever can look them up. Raises
        InvalidExport as `check_endpoints` does."""
        found = {self.endpoint(colo.code) for colo in self.colos()}
        return tuple(sorted({each.host for each in found if not each.is_address}))

    def with_addresses(self, addresses: Addresses) -> "Node":
        """The same with the addresses of names."""
        made = copy(self)
        made._endpoints = replace(self._endpoints, addresses=addresses)
        return made

    def part(self, zone: Zone, mappings: Iterable[Mapping]) -> ZonePart:
        """A zone of this node with its mappings."""
        found: dict[Place, tuple[Mode, Chain]] = {}
        rows = []
        for mapping in mappings:
            place = mapping.place
            way = found.get(place)
            if way is None:
                way = found[place] = self._way(resolve(zone, place, self._tiers))
            rows.append(Row(mapping.address, place, *way, mapping))
        _, default = self._way(resolve(zone, None, self._tiers))
        return ZonePart(zone.id, zone.name, default, rows)

    def check_endpoints(self) -> None:
        """Raises InvalidExport where nobody said of some colo where it listens."""
        for colo in self.colos():
            self.endpoint(colo.code)

    def identity(self) -> tuple[object, ...]:
        """What an export depends on besides its format, and the revision of the mappings."""
        endpoints = sorted(self._endpoints.colos.items())
        zones = [
            (zone.id, zone.name, zone.tiered_cache.on, zone.smart_tiered_cache.on)
            for zone in self.zones
        ]
        ways = sorted(self._ways.items())
        countries = [(colo.code, colo.country) for colo in self.colos()]
        addresses = sorted(self._endpoints.addresses.items())
        where = (self._endpoints.template, endpoints, addresses, countries)
        return self._colo, zones, self._generic, ways, *where

    def _way(self, resolution: Resolution) -> tuple[Mode, Chain]:
        if resolution.mode is Mode.OFF:
            return resolution.mode, ()
        if resolution.tier is None:
            return resolution.mode, self._generic
        return resolution.mode, self._cut([ranked.colo.code for ranked in resolution.tier.chosen])

    def _cut(self, codes: Iterable[str]) -> Chain:
        return tuple(takewhile(lambda code: code != self._colo, codes))

    def _nearest(self, code: str | None) -> Chain:
        """The chain where no region is known: the eligible colos nearest to the node. Without a
        node nothing is near, and the origin is asked."""
        if code is None:
            return ()
        own, topology = self._colos.get(code), self._tiers.topology
        if own is None:
            raise InvalidExport(
                f"there is no colo {code}", "originmap topology show has those there are"
            )
        ranking = sorted(
            (Ranked(c, Basis.DISTANCE, distance_km(own, c), None) for c in topology.eligible()),
            key=lambda r: (r.colo.draining, r.distance_km, r.colo.code),
        )
        chosen = choose(ranking, topology.apart_km, 1 + topology.fallbacks)
        return self._cut(ranked.colo.code for ranked in chosen)


def name_of(chain: Chain) -> str:
    """What a chain is called: originmap_iad_ewr; without colos originmap-origin, which no colo can
    be called."""
    return "_".join(["originmap", *(code.lower() for code in chain)]) if chain else ORIGIN

"""A node of the cache network: its zones, and the colos that it fills each origin from.

A *chain* is the upper tier and its fallbacks, in order; an empty chain is the origin itself. The
chain ends before the node's own colo: a node in the upper tier fills from the origin, and a node
in a fallback fills from the upper tier only.
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
"""The name of the operator's upstream for the origin itself."""

_NO_ENDPOINTS = Endpoints()
_PIECE = 1_000
"""Rows in a piece."""


class Row(NamedTuple):
    """A mapping, with the chain of colos that the node fills from."""

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
        """The rows in one or more pieces, so that other work can run between two of them."""
        for start in range(0, len(self.rows) or 1, _PIECE):
            yield self.rows[start : start + _PIECE]


class Node:
    """A node of the cache network with all data of an export except the mappings. These follow
    zone by zone, in the order of `zones`."""

    def __init__(
        self,
        zones: Iterable[Zone],
        tiers: Tiers,
        places: Iterable[Place],
        colo: str | None = None,
        endpoints: Endpoints = _NO_ENDPOINTS,
    ) -> None:
        """`places`: all places that a mapping can name; `colo`: the node's colo, if any. Raises
        InvalidExport if the topology has no such colo, and InvalidZoneName."""
        self.zones = tuple(sorted(zones, key=lambda zone: zone.id))
        for zone in self.zones:
            if checked_name(zone.name) != zone.name:
                raise InvalidZoneName(zone.name)
        self._colo = colo
        self._tiers = tiers
        self._colos = tiers.topology.by_code()
        self._endpoints = endpoints
        self._generic = self._nearest(colo)
        self._by_place = {
            place: self._cut(tiers.codes(place)) for place in places if tiers.of(place)
        }
        self.chains: tuple[Chain, ...] = tuple(
            sorted({*self._by_place.values(), self._generic} - {()})
        )
        """All chains that a mapping can have, so that an origin that moves needs no new one."""

    def colos(self) -> tuple[Colo, ...]:
        """The colos of all chains, by code."""
        return tuple(self._colos[code] for code in sorted({c for ch in self.chains for c in ch}))

    def colo_of(self, code: str) -> Colo:
        """A colo of a chain."""
        return self._colos[code]

    def endpoint(self, code: str) -> Endpoint:
        """The endpoint of a colo. Raises InvalidExport if it has none."""
        return self._endpoints.of(code)

    def endpoints(self, code: str, *, a_family: bool = False) -> tuple[Endpoint, ...]:
        return self._endpoints.all(code, a_family=a_family)

    def names(self) -> tuple[str, ...]:
        """The host names of the colos of all chains, which the caller can resolve. Raises
        InvalidExport like `check_endpoints`."""
        endpoints = {self.endpoint(colo.code) for colo in self.colos()}
        return tuple(sorted({each.host for each in endpoints if not each.is_address}))

    def with_addresses(self, addresses: Addresses) -> "Node":
        """A copy with the addresses of host names."""
        node = copy(self)
        node._endpoints = replace(self._endpoints, addresses=addresses)
        return node

    def part(self, zone: Zone, mappings: Iterable[Mapping]) -> ZonePart:
        """A zone of this node with its mappings."""
        cache: dict[Place, tuple[Mode, Chain]] = {}
        rows = []
        for mapping in mappings:
            place = mapping.place
            fill = cache.get(place)
            if fill is None:
                fill = cache[place] = self._chain(resolve(zone, place, self._tiers))
            rows.append(Row(mapping.address, place, *fill, mapping))
        _, default = self._chain(resolve(zone, None, self._tiers))
        return ZonePart(zone.id, zone.name, default, rows)

    def check_endpoints(self) -> None:
        """Raises InvalidExport if a colo has no endpoint."""
        for colo in self.colos():
            self.endpoint(colo.code)

    def identity(self) -> tuple[object, ...]:
        """All data that an export depends on, except its format and the mappings."""
        endpoints = sorted(self._endpoints.colos.items())
        zones = [
            (zone.id, zone.name, zone.tiered_cache.on, zone.smart_tiered_cache.on)
            for zone in self.zones
        ]
        chains = sorted(self._by_place.items())
        countries = [(colo.code, colo.country) for colo in self.colos()]
        addresses = sorted(self._endpoints.addresses.items())
        upstreams = (self._endpoints.template, endpoints, addresses, countries)
        return self._colo, zones, self._generic, chains, *upstreams

    def _chain(self, resolution: Resolution) -> tuple[Mode, Chain]:
        if resolution.mode is Mode.OFF:
            return resolution.mode, ()
        if resolution.tier is None:
            return resolution.mode, self._generic
        return resolution.mode, self._cut([ranked.colo.code for ranked in resolution.tier.chosen])

    def _cut(self, codes: Iterable[str]) -> Chain:
        return tuple(takewhile(lambda code: code != self._colo, codes))

    def _nearest(self, code: str | None) -> Chain:
        """The chain for unknown regions: the eligible colos nearest to the node. For a node
        without a colo it is empty, so the node fills from the origin itself."""
        if code is None:
            return ()
        own, topology = self._colos.get(code), self._tiers.topology
        if own is None:
            raise InvalidExport(
                f"there is no colo {code}", "run originmap topology show to see all colos"
            )
        ranking = sorted(
            (Ranked(c, Basis.DISTANCE, distance_km(own, c), None) for c in topology.eligible()),
            key=lambda r: (r.colo.draining, r.distance_km, r.colo.code),
        )
        chosen = choose(ranking, topology.apart_km, 1 + topology.fallbacks)
        return self._cut(ranked.colo.code for ranked in chosen)


def name_of(chain: Chain) -> str:
    """The name of a chain, such as originmap_iad_ewr. The empty chain is originmap-origin, which
    cannot be the name of any other."""
    return "_".join(["originmap", *(code.lower() for code in chain)]) if chain else ORIGIN

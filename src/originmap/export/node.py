"""A node of the cache network: its zones, and the chain of colos that it fills each origin from.

If colos have several caches, URLs are assigned to one cache of a colo by consistent hashing. Then
requests to other caches are marked in the header X-Originmap-Colo, and a cache passes a marked
request to the origin only, except that a regional hub passes it to the upper tier. So no request
goes in circles, even among nodes with different revisions of the topology.
"""

from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import replace
from typing import NamedTuple

from originmap.domain.errors import InvalidZoneName
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Mapping, Place
from originmap.domain.tier.cache import Cache
from originmap.domain.tier.chain import GENERIC, Chain, Chains
from originmap.domain.tier.endpoint import Endpoint
from originmap.domain.tier.resolution import Mode, resolve, resolve_members
from originmap.domain.tier.tier import Tiers
from originmap.domain.tier.topology import Colo, GenericTier, HashPart
from originmap.domain.zone.zone import Zone, checked_name
from originmap.export.endpoint import Addresses, Endpoints

ORIGIN = "originmap-origin"
"""The name of the operator's upstream for the origin itself."""
HOP = "X-Originmap-Colo"
"""The request header with the code of the colo that a request is sent to, GENERIC, or HUB."""
HUB = "hub"
"""The mark of a request to a regional hub."""

NO_PLACE = Place("", "")
"""The place in the row of an origin without a mapping, which is there because of its pool."""
_NO_ENDPOINTS = Endpoints()
_PIECE = 1_000
"""Rows in a piece."""


class Row(NamedTuple):
    """An origin with its mapping, the chain of colos that the node fills from, and its first colo
    if that is a regional hub."""

    address: Address
    place: Place
    mode: Mode
    chain: Chain
    mapping: Mapping
    hub: str | None = None

    @property
    def upper_tiers(self) -> Chain:
        """The chain without the hub, and without GENERIC."""
        if self.chain == (GENERIC,):
            return ()
        return self.chain[1:] if self.hub else self.chain


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
        topology = tiers.topology
        self._colo = colo
        self._tiers = tiers
        self._colos = topology.by_code()
        self._endpoints = endpoints
        self.hash_key: tuple[HashPart, ...] = topology.hash_key
        self.hashed = (
            topology.has_caches or endpoints.several or topology.generic is GenericTier.HASH
        )
        """Whether URLs are assigned to caches by consistent hashing."""
        self._chains = Chains(tiers, colo, siblings=self._has_siblings())
        regional = {zone.regional_tiered_cache.on for zone in self.zones}
        self._by_place = {
            (place, hub): self._chains.through(tiers.codes(place), regional=hub)
            for place in places
            if tiers.of(place)
            for hub in sorted({False, *regional})
        }
        pooled = {zone.regional_tiered_cache.on for zone in self.zones if zone.pools}
        self.chains: tuple[Chain, ...] = tuple(
            sorted({*self._by_place.values(), *self._of_pools(pooled), self._chains.generic} - {()})
        )
        """All chains that a mapping can have, so that an origin that moves needs no new one."""
        self._hub_chains = self._through_hub(pools=True in pooled)

    @property
    def own(self) -> str | None:
        """The code of the node's colo, if it has one."""
        return self._colo

    @property
    def pool(self) -> tuple[str, ...]:
        """The colos of the generic pool, by code."""
        return self._tiers.pool

    @property
    def pooled(self) -> bool:
        """Whether the node's own caches are in the generic pool."""
        return self._colo in self.pool

    @property
    def has_hub(self) -> bool:
        """Whether the node fills any origin through a regional hub."""
        return bool(self._hub_chains)

    def through_hub(self, chain: Chain) -> bool:
        """Whether the first colo of a chain is a regional hub."""
        return chain in self._hub_chains

    def mark(self, chain: Chain) -> str:
        """The mark of a request to the first colo of a chain."""
        return HUB if self.through_hub(chain) else chain[0]

    def leads_inside(self, chain: Chain) -> bool:
        """Whether a chain leads to the caches of the node's own colo, so that requests which came
        from such a cache must not follow it."""
        return chain == (self._colo,) or (chain == (GENERIC,) and self.pooled)

    def colos(self) -> tuple[Colo, ...]:
        """The colos of all chains, by code."""
        codes = {code for chain in self.chains for code in chain} - {GENERIC}
        return tuple(self._colos[code] for code in sorted(codes))

    def colo_of(self, code: str) -> Colo:
        """A colo of a chain."""
        return self._colos[code]

    def members(self) -> tuple[str, ...]:
        """The colos of all chains and, last, GENERIC if a chain has it."""
        generic = (GENERIC,) * (self._chains.generic == (GENERIC,))
        return (*(colo.code for colo in self.colos()), *generic)

    def colos_in(self, code: str) -> tuple[str, ...]:
        """The colos that an element of a chain stands for: itself, or the generic pool."""
        return self.pool if code == GENERIC else (code,)

    def caches(self, code: str) -> tuple[Cache, ...]:
        """The caches that share the URLs sent to a colo or to GENERIC, by name. Raises
        InvalidExport if a colo has no address."""
        template = self._tiers.topology.cache_template
        found = (
            self._endpoints.caches(self._colos[colo], template) for colo in self.colos_in(code)
        )
        return tuple(cache for caches in found for cache in caches)

    def servers(self, code: str, *, a_family: bool = False) -> tuple[Cache, ...]:
        """The same, with a cache for each address of a name that has several; with `a_family`, only
        if it has several of one family."""
        return self._endpoints.servers(self.caches(code), a_family=a_family)

    def endpoint(self, code: str) -> Endpoint:
        """The endpoint of a colo without several caches. Raises InvalidExport if it has none."""
        return self.caches(code)[0].endpoint

    def endpoints(self, code: str, *, a_family: bool = False) -> tuple[Endpoint, ...]:
        return self._endpoints.resolved(self.endpoint(code), a_family=a_family)

    def names(self) -> tuple[str, ...]:
        """The host names of the colos of all chains, which the caller can resolve. Raises
        InvalidExport like `check_endpoints`."""
        endpoints = {cache.endpoint for code in self.members() for cache in self.caches(code)}
        return tuple(sorted({each.host for each in endpoints if not each.is_address}))

    def with_addresses(self, addresses: Addresses) -> "Node":
        """A copy with the addresses of host names."""
        node = copy(self)
        node._endpoints = replace(self._endpoints, addresses=addresses)
        return node

    def part(self, zone: Zone, mappings: Iterable[Mapping]) -> ZonePart:
        """A zone of this node with its mappings."""
        cache: dict[Place, tuple[Mode, Chain, str | None]] = {}
        rows = []
        for mapping in mappings:
            place = mapping.place
            fill = cache.get(place)
            if fill is None:
                resolution = resolve(zone, place, self._tiers)
                chain = self._chains.of(zone, resolution)
                hub = self._chains.hub_in(chain, resolution)
                fill = cache[place] = (resolution.mode, chain, hub)
            mode, chain, hub = fill
            rows.append(Row(mapping.address, place, mode, chain, mapping, hub))
        if zone.pools:
            rows = self._pooled(zone, rows)
        default = self._chains.of(zone, resolve(zone, None, self._tiers))
        return ZonePart(zone.id, zone.name, default, rows)

    def _through_hub(self, *, pools: bool) -> set[Chain]:
        """The chains of this node whose first colo is a regional hub; with `pools`, also those of
        pools in several regions."""
        found = [
            (chain, self._by_place[place, False])
            for (place, hub), chain in self._by_place.items()
            if hub
        ]
        if pools:
            found += zip(self._of_pools([True]), self._of_pools([False]), strict=True)
        return {chain for chain, direct in found if chain != direct}

    def _of_pools(self, regional: Iterable[bool]) -> Iterator[Chain]:
        """All chains of pools in several regions, of zones with these settings of Regional Tiered
        Cache."""
        for hub in regional:
            for code in self._tiers.eligible:
                yield self._chains.through(self._tiers.near(code), regional=hub)

    def _pooled(self, zone: Zone, rows: Iterable[Row]) -> list[Row]:
        """Rows of a zone, those of a pool with the chain of the pool. Its members without a mapping
        have rows too, with the place and revision of none."""
        by_address = {row.address: row for row in rows}
        members = resolve_members(
            zone, lambda a: by_address[a].place if a in by_address else None, self._tiers
        )
        for address, resolution in members.items():
            row = by_address.get(address)
            if row is None and resolution.tier is None:
                continue
            mapping = row.mapping if row else Mapping(address, NO_PLACE, 0, 0)
            chain = self._chains.of(zone, resolution)
            hub = self._chains.hub_in(chain, resolution)
            by_address[address] = Row(address, mapping.place, resolution.mode, chain, mapping, hub)
        return [by_address[address] for address in sorted(by_address)]

    def check_endpoints(self) -> None:
        """Raises InvalidExport if a colo has no endpoint."""
        for code in self.members():
            self.caches(code)

    def identity(self) -> tuple[object, ...]:
        """All data that an export depends on, except its format and the mappings."""
        zones = [zone_identity(zone) for zone in self.zones]
        return (*self.shared_identity(), zones)

    def shared_identity(self) -> tuple[object, ...]:
        """The same without what concerns one zone only."""
        chains = sorted(self._by_place.items())
        countries = [(colo.code, colo.country) for colo in self.colos()]
        topology = self._tiers.topology
        caches = [(colo.code, colo.caches) for colo in topology.colos if colo.caches]
        upstreams = (
            self._endpoints.template,
            sorted(self._endpoints.colos.items()),
            sorted(self._endpoints.addresses.items()),
            topology.cache_template,
            caches,
            self.hash_key,
            self.pool,
        )
        pooled = self._tiers.latency_digest if any(zone.pools for zone in self.zones) else ""
        return (
            self._colo,
            self._chains.generic,
            chains,
            self.chains,
            sorted(self._hub_chains),
            pooled,
            countries,
            *upstreams,
        )

    def _has_siblings(self) -> bool:
        """Whether several caches share the URLs of the node's colo."""
        colo = self._colos.get(self._colo or "")
        return colo is not None and self._endpoints.count(colo) > 1


def zone_identity(zone: Zone) -> tuple[object, ...]:
    """What an export depends on of a zone, except its mappings."""
    return (
        zone.id,
        zone.name,
        zone.tiered_cache.on,
        zone.smart_tiered_cache.on,
        zone.regional_tiered_cache.on,
        zone.pools,
    )


def name_of(chain: Chain) -> str:
    """The name of a chain, such as originmap_iad_ewr. The empty chain is originmap-origin, which
    cannot be the name of any other; nor can originmap-generic."""
    if chain == (GENERIC,):
        return "originmap-generic"
    return "_".join(["originmap", *(code.lower() for code in chain)]) if chain else ORIGIN

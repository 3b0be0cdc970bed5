"""Resolution: the upper tier that a cache must fill from, for an origin of a zone.

hint      the origin has a mapping: the upper tier of its region, and fallbacks
generic   it has no mapping, or its region is unknown: all eligible colos, as at Cloudflare
off       the zone has Tiered Cache off: fill from the origin itself
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Place
from originmap.domain.tier.tier import Tier, Tiers
from originmap.domain.tier.topology import GenericTier
from originmap.domain.zone.zone import Zone


class Mode(StrEnum):
    """The way in which caches fill from an origin."""

    HINT = "hint"
    GENERIC = "generic"
    OFF = "off"


class Resolution(NamedTuple):
    """The result for a cache: `tier` in mode hint, `eligible` colos in mode generic."""

    mode: Mode
    place: Place | None
    tier: Tier | None
    eligible: tuple[str, ...]
    reason: str


def resolve(zone: Zone, place: Place | None, tiers: Tiers) -> Resolution:
    """The resolution for an origin; `place` is that of its mapping, None without one."""
    if not zone.tiered_cache.on:
        return Resolution(Mode.OFF, place, None, (), "Tiered Cache is off for this zone")
    if not zone.smart_tiered_cache.on:
        return _generic(place, tiers, "Smart Tiered Cache is off for this zone")
    if place is None:
        return _generic(None, tiers, "the origin has no mapping")
    tier = tiers.of(place)
    if tier is None:
        return _generic(place, tiers, f"where {place.vendor} {place.region} is, is not known")
    return Resolution(Mode.HINT, place, tier, (), tier.reason)


def resolve_pool(zone: Zone, places: Sequence[Place | None], tiers: Tiers) -> Resolution:
    """One resolution for all members of a load-balancing pool, because Cloudflare chooses one
    upper tier for an entire pool: the colo with the lowest total cost. Members without a mapping
    do not count."""
    mapped = [place for place in places if place is not None]
    if not mapped or not (zone.tiered_cache.on and zone.smart_tiered_cache.on):
        return resolve(zone, None, tiers)
    tier = tiers.of_pool(mapped)
    if tier is None:
        return _generic(None, tiers, "the regions of the pool are not known")
    return Resolution(Mode.HINT, None, tier, (), tier.reason)


def resolve_members(
    zone: Zone, place_of: Callable[[Address], Place | None], tiers: Tiers
) -> dict[Address, Resolution]:
    """The resolutions of a zone's origins in pools, by address: members without a mapping too, but
    not those of pools without any mapping, whose members are resolved like other origins."""
    found = dict[Address, Resolution]()
    if not (zone.tiered_cache.on and zone.smart_tiered_cache.on):
        return found
    for pool in zone.pools:
        places = {address: place_of(address) for address in pool.addresses}
        if not any(places.values()):
            continue
        shared = resolve_pool(zone, list(places.values()), tiers)
        shared = shared._replace(reason=f"pool {pool.name}: {shared.reason}")
        by_place = {place: shared._replace(place=place) for place in set(places.values())}
        found |= {address: by_place[place] for address, place in places.items()}
    return found


class Resolver:
    """Resolves in the process, from an immutable table. Each revision needs a new resolver.

    A lookup parses the address and reads two dictionaries. It never blocks, and is safe for any
    number of threads.
    """

    __slots__ = ("_generic", "_zones", "revision")

    def __init__(
        self,
        revision: int,
        zones: Mapping[str, tuple[Zone, Mapping[Address, Place]]],
        tiers: Tiers,
    ) -> None:
        """`zones`: each zone with its mappings, by id or name."""
        self.revision = revision
        self._zones: dict[str, dict[Address, Resolution]] = {}
        self._generic: dict[str, Resolution] = {}
        for name, (zone, mappings) in zones.items():
            self._generic[name] = resolve(zone, None, tiers)
            by_place = {place: resolve(zone, place, tiers) for place in set(mappings.values())}
            table = {address: by_place[place] for address, place in mappings.items()}
            self._zones[name] = table | resolve_members(zone, mappings.get, tiers)

    def resolve(self, zone: str, origin_ip: str) -> Resolution:
        """The resolution for an origin address in any spelling. Raises KeyError for an unknown
        zone, InvalidAddress."""
        address = addresses.parse(origin_ip)
        return self._zones[zone].get(address) or self._generic[zone]


def _generic(place: Place | None, tiers: Tiers, reason: str) -> Resolution:
    if tiers.topology.generic is GenericTier.NEAREST:
        return Resolution(Mode.GENERIC, place, None, tiers.eligible, reason)
    reason = f"{reason}; the URL chooses one of the pool"
    return Resolution(Mode.GENERIC, place, None, tiers.pool, reason)

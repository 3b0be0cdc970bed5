"""Upper tiers: ranks the colos that can fill from an origin, the best first, with the reason.

    1. the operator's override for the region
    2. the measured latency (milliseconds, until it expires) plus the cost of the colo
    3. the distance (great-circle kilometres) plus the cost, at 100 km for a millisecond

A draining colo ranks after every active one. Of the active ones, a colo that has its share of the
vendor's origins ranks last. A colo that is down, retired or not eligible is not ranked. The best
colo is the upper tier. Each fallback is the next best colo that is far enough from all those before
it, so that one local failure does not affect two of them.

For a pool, several regions are ranked together by the sum of their costs, and the fallbacks are the
colos nearest to the upper tier. Everything here is pure and deterministic: ties are broken by code.
"""

import functools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from hashlib import sha256
from math import asin, cos, radians, sin, sqrt
from typing import NamedTuple, Protocol

from originmap.domain.mapping.catalogue import Catalogue, Region
from originmap.domain.mapping.mapping import Place
from originmap.domain.tier.latency import Fresh
from originmap.domain.tier.topology import Colo, Topology

# Mean radius R1 of the Earth as IUGG defines it: (2a + b) / 3 of WGS 84.
EARTH_RADIUS_KM = 6371.0088
# Light in fibre, whose refractive index is about 1.5, travels 100 km and back in a millisecond.
KM_PER_MS = 100.0

_WHOLE = 100.0
"""Percent."""


class Located(Protocol):
    """Anything with coordinates in decimal degrees, north and east positive."""

    @property
    def latitude(self) -> float: ...

    @property
    def longitude(self) -> float: ...


class Basis(StrEnum):
    """The criterion by which a colo was ranked."""

    OVERRIDE = "override"
    LATENCY = "latency"
    DISTANCE = "distance"


class Ranked(NamedTuple):
    """A colo in a ranking. For several regions, distance and latency are sums."""

    colo: Colo
    basis: Basis
    distance_km: float
    latency_ms: float | None  # None unless measured for every region


@dataclass(frozen=True, slots=True)
class Tier:
    """The upper tier of one or several regions, and its fallbacks."""

    chosen: tuple[Ranked, ...]
    reason: str
    _rank: Callable[[], tuple[Ranked, ...]] = field(compare=False, repr=False)

    @property
    def ranking(self) -> tuple[Ranked, ...]:
        """The ranking that the tier was chosen from, never empty. It is computed on each call,
        because storing up to a thousand colos for each region takes too much memory."""
        return self._rank()

    @property
    def primary(self) -> Ranked:
        """The upper tier."""
        return self.chosen[0]

    @property
    def fallbacks(self) -> tuple[Ranked, ...]:
        """The colos to fill from if the upper tier is unreachable, in order."""
        return self.chosen[1:]


def distance_km(here: Located, there: Located) -> float:
    """The great-circle distance, by the haversine formula."""
    north, south = radians(here.latitude), radians(there.latitude)
    half_height = sin((north - south) / 2)
    half_width = sin(radians(here.longitude - there.longitude) / 2)
    haversine = half_height**2 + cos(north) * cos(south) * half_width**2
    # Rounding can lift the haversine of two antipodes above 1, for which asin is undefined.
    return 2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(haversine)))


class Costs(NamedTuple):
    """The costs of some colos for a region: kilometres, and milliseconds if measured."""

    distances: list[float]
    latencies: list[float | None]


def costs_of(region: Region, colos: Sequence[Colo], latencies: Fresh) -> Costs:
    """The costs of `colos` for a region, in their order."""
    distances = [distance_km(region, colo) for colo in colos]
    place = Place(region.vendor, region.name)
    measured: list[float | None] = [None] * len(colos)
    if latencies:
        measured = [latencies.get((colo.code, place)) for colo in colos]
    return Costs(distances, measured)


def rank(regions: Sequence[Region], topology: Topology, latencies: Fresh) -> tuple[Ranked, ...]:
    """Rank all colos that can be chosen, the best for all `regions` together first."""
    colos = topology.eligible()
    costs = [costs_of(region, colos, latencies) for region in regions]
    return _ranked(colos, _override(regions, topology, topology.successors()), costs)


def _ranked(
    colos: Sequence[Colo],
    override: tuple[str, ...],
    costs: Sequence[Costs],
    full: Collection[str] = (),
) -> tuple[Ranked, ...]:
    """`full`: the colos that have their share of the vendor's origins."""
    order = {code: index for index, code in enumerate(override)}
    distances = map(sum, zip(*(each.distances for each in costs), strict=True))
    measured = zip(*(each.latencies for each in costs), strict=True)
    ranking = []
    for colo, distance, times in zip(colos, distances, measured, strict=True):
        latency = None if None in times else sum(ms for ms in times if ms is not None)
        basis = Basis.DISTANCE if latency is None else Basis.LATENCY
        basis = Basis.OVERRIDE if colo.code in order else basis
        ranking.append(Ranked(colo, basis, distance, latency))

    def order_of(ranked: Ranked) -> tuple[bool, float, bool, bool, float, str]:
        code, cost = ranked.colo.code, ranked.colo.cost * len(costs)
        measured = ranked.latency_ms is not None
        return (
            ranked.colo.draining,
            order.get(code, len(order)),
            code in full,
            not measured,
            (ranked.latency_ms or 0) + cost if measured else ranked.distance_km + cost * KM_PER_MS,
            code,
        )

    return tuple(sorted(ranking, key=order_of))


def choose(ranking: Iterable[Ranked], apart_km: float, count: int) -> tuple[Ranked, ...]:
    """Choose up to `count` colos of `ranking`: the first, then each next one that is at least
    `apart_km` away from all chosen before."""
    chosen: list[Ranked] = []
    for ranked in ranking:
        if len(chosen) >= count:
            break
        if all(distance_km(ranked.colo, earlier.colo) >= apart_km for earlier in chosen):
            chosen.append(ranked)
    return tuple(chosen)


def nearest(colos: Iterable[Colo], to: Colo) -> list[Ranked]:
    """Rank colos by their distance from another one, draining ones last."""
    return sorted(
        (Ranked(colo, Basis.DISTANCE, distance_km(to, colo), None) for colo in colos),
        key=lambda ranked: (ranked.colo.draining, ranked.distance_km, ranked.colo.code),
    )


def tier_of(regions: Sequence[Region], topology: Topology, latencies: Fresh) -> Tier:
    """The upper tier of one or more regions."""
    return _chosen(regions, topology, partial(rank, regions, topology, latencies))


def _chosen(
    regions: Sequence[Region],
    topology: Topology,
    ranked: Callable[[], tuple[Ranked, ...]],
    full: Collection[str] = (),
) -> Tier:
    chosen = choose(ranked(), topology.apart_km, 1 + topology.fallbacks)
    return Tier(chosen, _reason(regions, chosen[0]) + _about_shares(chosen[0], full), ranked)


class Tiers:
    """The tiers of all regions for one topology. Each tier is computed on first use, because a
    database uses few of the regions."""

    def __init__(self, catalogue: Catalogue, topology: Topology, latencies: Fresh) -> None:
        self.topology = topology
        self._catalogue = catalogue
        self._latencies = latencies
        self._tiers: dict[Place, Tier | None] = {}
        self._colos = topology.eligible()
        self._successors = topology.successors()
        self._codes: dict[Place, tuple[str, ...]] = {}
        self._costs: dict[Region, Costs] = {}
        self.limited = any(colo.max_share < _WHOLE for colo in self._colos)
        """Whether a colo has a maximum share, so that regions depend on each other."""
        self._full: dict[str, dict[Place, frozenset[str]]] = {}
        self._eligible = tuple(colo.code for colo in self._colos)
        self.pool = tuple(colo.code for colo in topology.pool())
        """The colos of the generic pool, by code."""
        self._near: dict[str, tuple[str, ...]] = {}

    @functools.cached_property
    def latency_digest(self) -> str:
        """A digest of the measurements, on which the tiers of pools depend."""
        return sha256(repr(sorted(self._latencies.items())).encode()).hexdigest()

    @property
    def missing(self) -> list[Place]:
        """The regions of the catalogue whose tier is not computed yet."""
        return [place for place in self._catalogue.places() if place not in self._tiers]

    def knows(self, place: Place) -> bool:
        """Whether the result of `of` is computed already."""
        return place in self._tiers

    def knows_codes(self, place: Place) -> bool:
        """Whether the result of `codes` is computed already."""
        return place in self._codes

    @property
    def eligible(self) -> tuple[str, ...]:
        """All colos that can be an upper tier, which are used for unknown regions."""
        return self._eligible

    def of(self, place: Place) -> Tier | None:
        """The tier of a region; None if it is not in the catalogue."""
        try:
            return self._tiers[place]
        except KeyError:
            self._tiers[place] = tier = self._tier_of(place)
            return tier

    def _tier_of(self, place: Place) -> Tier | None:
        region = self._catalogue.find(*place)
        return None if region is None else self._tier([region], self._full_for(place))

    def assign_shares(self) -> None:
        """Compute the shares of all vendors, which takes long for many colos."""
        for vendor in {region.vendor for region in self._catalogue.regions()}:
            if self.limited and vendor not in self._full:
                self._full[vendor] = self._assign(vendor)

    def _full_for(self, place: Place) -> frozenset[str]:
        """The colos that have their share of the vendor's origins before this region is assigned:
        regions choose one after the other, those with most origins first."""
        if not self.limited:
            return frozenset()
        if place.vendor not in self._full:
            self._full[place.vendor] = self._assign(place.vendor)
        return self._full[place.vendor][place]

    def _assign(self, vendor: str) -> dict[Place, frozenset[str]]:
        origins = self.topology.origins
        regions = sorted(
            (region for region in self._catalogue.regions() if region.vendor == vendor),
            key=lambda region: (-origins.get(f"{vendor}/{region.name}", 0), region.name),
        )
        total = sum(origins.get(f"{vendor}/{region.name}", 0) for region in regions)
        left = {colo.code: colo.max_share * total / _WHOLE for colo in self._colos}
        full: dict[Place, frozenset[str]] = {}
        for region in regions:
            place = Place(vendor, region.name)
            spent = (code for code, rest in left.items() if rest <= 0) if total else ()
            full[place] = frozenset(spent)
            chosen = self._tier([region], full[place]).primary.colo
            if chosen.max_share < _WHOLE:
                left[chosen.code] -= origins.get(f"{vendor}/{region.name}", 0)
        return full

    def of_pool(self, places: Iterable[Place]) -> Tier | None:
        """One tier for several origins, ignoring unknown regions; None if all are unknown.

        The colo with the lowest total cost is the upper tier. The fallbacks depend on it alone, not
        on the regions: see `near`. If the regions have one override, the tier has the colos of the
        first region's; if they are one region, it is that region's. Maximum shares count for that
        one only.
        """
        regions = [r for place in places if (r := self._catalogue.find(*place)) is not None]
        if not regions:
            return None
        if len(set(regions)) == 1:
            return self.of(Place(regions[0].vendor, regions[0].name))
        ranked = self._ranking(regions)
        by_code = {each.colo.code: each for each in ranked()}
        best = next(iter(by_code.values()))
        if best.basis is Basis.OVERRIDE:
            codes = self.codes(Place(regions[0].vendor, regions[0].name))
        else:
            codes = self.near(best.colo.code)
        chosen = tuple(by_code[code] for code in codes)
        return Tier(chosen, _reason(regions, chosen[0]), ranked)

    def near(self, code: str) -> tuple[str, ...]:
        """An eligible colo, and the fallbacks nearest to it. The tiers of pools are these or those
        of regions, so that the files for caches have all chains before the mappings are known."""
        codes = self._near.get(code)
        if codes is None:
            (here,) = (colo for colo in self._colos if colo.code == code)
            order = sorted(nearest(self._colos, here), key=lambda r: r.colo is not here)
            chosen = choose(order, self.topology.apart_km, 1 + self.topology.fallbacks)
            self._near[code] = codes = tuple(ranked.colo.code for ranked in chosen)
        return codes

    def knows_near(self, code: str) -> bool:
        """Whether the result of `near` is computed already."""
        return code in self._near

    def _tier(self, regions: Sequence[Region], full: frozenset[str] = frozenset()) -> Tier:
        return _chosen(regions, self.topology, self._ranking(regions, full), full)

    def _ranking(
        self, regions: Sequence[Region], full: frozenset[str] = frozenset()
    ) -> Callable[[], tuple[Ranked, ...]]:
        override = _override(regions, self.topology, self._successors)
        costs = [self._costs_of(region) for region in regions]
        return partial(_ranked, self._colos, override, costs, full)

    def _costs_of(self, region: Region) -> Costs:
        costs = self._costs.get(region)
        if costs is None:
            self._costs[region] = costs = costs_of(region, self._colos, self._latencies)
        return costs

    def codes(self, place: Place) -> tuple[str, ...]:
        """The codes of a region's upper tier and fallbacks; all eligible ones if the region is
        unknown. Only the codes are cached, not the tier, because what-if checks compute tiers for
        many topologies."""
        codes = self._codes.get(place)
        if codes is None:
            tier = self._tiers.get(place) or self._tier_of(place)
            codes = self._eligible if tier is None else tuple(r.colo.code for r in tier.chosen)
            self._codes[place] = codes
        return codes


def _override(
    regions: Sequence[Region], topology: Topology, successors: Mapping[str, str]
) -> tuple[str, ...]:
    """The colos of the operator's override, if it is the same for all `regions`. Retired colos are
    replaced by their successors."""
    named = {topology.overrides.get(f"{r.vendor}/{r.name}", ()) for r in regions}
    if len(named) != 1:
        return ()
    return tuple(dict.fromkeys(successors.get(code, code) for code in named.pop()))


def _reason(regions: Sequence[Region], best: Ranked) -> str:
    names = list(dict.fromkeys(f"{r.vendor} {r.name}" for r in regions))
    target = " and ".join([*names[:3], *["others"] * (len(names) > 3)])
    together = " in all" if len(regions) > 1 else ""
    if best.basis is Basis.OVERRIDE:
        why = f"an override names it for {target}"
    elif best.latency_ms is not None:
        why = f"{best.latency_ms:g} ms measured{together} to {target}"
    else:
        why = f"nearest to {target}, {best.distance_km:.0f} km{together}"
    if best.colo.cost and best.basis is not Basis.OVERRIDE:
        why += f", at a cost of {best.colo.cost:g} ms"
    return f"{best.colo.code}: {why}" + ("; all others are draining too" * best.colo.draining)


def _about_shares(best: Ranked, full: Collection[str]) -> str:
    """The part of the reason that says which colos have their share of the vendor's origins."""
    if not full:
        return ""
    names = sorted(full)
    listed = ", ".join([*names[:3], *["others"] * (len(names) > 3)])
    has = "have" if len(names) > 1 else "has"
    return f"; {listed} {has} the maximum share of origins" + (
        ", as all others" * (best.colo.code in full)
    )

"""Upper tiers: which colos should fill from an origin, the best one first, and why.

    what the operator said about the region (an override)   before
    what was measured (milliseconds, while it is fresh)     before
    how far it is (great-circle kilometres)

A draining colo comes after every active one, whatever speaks for it; one that is down, retired or
not eligible never comes at all. The best is the upper tier, and each fallback is the next best
that is clear of all those before it, so that one local failure never takes two of them.

Several regions are ranked together by the sum of what each costs: that is the one upper tier of
a pool. Everything here is pure and deterministic: ties go by code.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from math import asin, cos, radians, sin, sqrt
from typing import Protocol

from originmap.domain.mapping.catalogue import Catalogue, Region
from originmap.domain.mapping.mapping import Place
from originmap.domain.tier.latency import Fresh
from originmap.domain.tier.topology import Colo, Topology

# Mean radius R1 of the Earth as IUGG defines it: (2a + b) / 3 of WGS 84.
EARTH_RADIUS_KM = 6371.0088


class Located(Protocol):
    """Anything with coordinates in decimal degrees, north and east positive."""

    @property
    def latitude(self) -> float: ...

    @property
    def longitude(self) -> float: ...


class Basis(StrEnum):
    """What a colo was ranked by."""

    OVERRIDE = "override"
    LATENCY = "latency"
    DISTANCE = "distance"


@dataclass(frozen=True, slots=True)
class Ranked:
    """A colo in its place of the ranking; sums where several regions were ranked together."""

    colo: Colo
    basis: Basis
    distance_km: float
    latency_ms: float | None  # None unless it was measured, for every region


@dataclass(frozen=True, slots=True)
class Tier:
    """The upper tier of one or several regions, and its fallbacks."""

    chosen: tuple[Ranked, ...]
    reason: str
    _rank: Callable[[], tuple[Ranked, ...]] = field(compare=False, repr=False)

    @property
    def ranking(self) -> tuple[Ranked, ...]:
        """What it was chosen from, never empty. Worked out again: of each region a thousand
        colos would be kept."""
        return self._rank()

    @property
    def primary(self) -> Ranked:
        """The upper tier."""
        return self.chosen[0]

    @property
    def fallbacks(self) -> tuple[Ranked, ...]:
        """Where to fill from when the upper tier cannot be reached, in order."""
        return self.chosen[1:]


def distance_km(here: Located, there: Located) -> float:
    """The great-circle distance, by the haversine formula."""
    north, south = radians(here.latitude), radians(there.latitude)
    half_height = sin((north - south) / 2)
    half_width = sin(radians(here.longitude - there.longitude) / 2)
    haversine = half_height**2 + cos(north) * cos(south) * half_width**2
    # Rounding can lift the haversine of two antipodes above 1, where asin is undefined.
    return 2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(haversine)))


@dataclass(frozen=True, slots=True)
class Costs:
    """What each of some colos costs for a region: kilometres, and milliseconds if measured."""

    distances: list[float]
    latencies: list[float | None]


def costs_of(region: Region, colos: Sequence[Colo], latencies: Fresh) -> Costs:
    """What `colos` cost for a region, in their order."""
    distances = [distance_km(region, colo) for colo in colos]
    place = Place(region.vendor, region.name)
    measured: list[float | None] = [None] * len(colos)
    if latencies:
        measured = [latencies.get((colo.code, place)) for colo in colos]
    return Costs(distances, measured)


def rank(regions: Sequence[Region], topology: Topology, latencies: Fresh) -> tuple[Ranked, ...]:
    """Every colo that can be chosen, the best for all `regions` together first."""
    colos = topology.eligible()
    costs = [costs_of(region, colos, latencies) for region in regions]
    return _ranked(colos, _override(regions, topology, topology.successors()), costs)


def _ranked(
    colos: Sequence[Colo], override: tuple[str, ...], costs: Sequence[Costs]
) -> tuple[Ranked, ...]:
    order = {code: index for index, code in enumerate(override)}
    distances = map(sum, zip(*(each.distances for each in costs), strict=True))
    measured = zip(*(each.latencies for each in costs), strict=True)
    found = []
    for colo, distance, times in zip(colos, distances, measured, strict=True):
        latency = None if None in times else sum(ms for ms in times if ms is not None)
        basis = Basis.DISTANCE if latency is None else Basis.LATENCY
        basis = Basis.OVERRIDE if colo.code in order else basis
        found.append(Ranked(colo, basis, distance, latency))

    def place(ranked: Ranked) -> tuple[bool, float, bool, float, str]:
        unmeasured = ranked.latency_ms is None
        return (
            ranked.colo.draining,
            order.get(ranked.colo.code, len(order)),
            unmeasured,
            ranked.distance_km if ranked.latency_ms is None else ranked.latency_ms,
            ranked.colo.code,
        )

    return tuple(sorted(found, key=place))


def choose(ranking: Iterable[Ranked], apart_km: float, count: int) -> tuple[Ranked, ...]:
    """At most `count` of `ranking`: the first, then each next one at least `apart_km` away from
    every one chosen before; fewer when the colos do not allow more."""
    chosen: list[Ranked] = []
    for ranked in ranking:
        if len(chosen) >= count:
            break
        if all(distance_km(ranked.colo, earlier.colo) >= apart_km for earlier in chosen):
            chosen.append(ranked)
    return tuple(chosen)


def tier_of(regions: Sequence[Region], topology: Topology, latencies: Fresh) -> Tier:
    """The upper tier of `regions`, which are one or more."""
    return _chosen(regions, topology, partial(rank, regions, topology, latencies))


def _chosen(
    regions: Sequence[Region], topology: Topology, ranked: Callable[[], tuple[Ranked, ...]]
) -> Tier:
    chosen = choose(ranked(), topology.apart_km, 1 + topology.fallbacks)
    return Tier(chosen, _reason(regions, chosen[0]), ranked)


class Tiers:
    """The tiers of every region under one topology: immutable, and worked out when first asked
    for, since a database names few of the regions there are."""

    def __init__(self, catalogue: Catalogue, topology: Topology, latencies: Fresh) -> None:
        self.topology = topology
        self._catalogue = catalogue
        self._latencies = latencies
        self._tiers: dict[Place, Tier | None] = {}
        self._colos = topology.eligible()
        self._successors = topology.successors()
        self._codes: dict[Place, tuple[str, ...]] = {}
        self._costs: dict[Region, Costs] = {}
        self._eligible = tuple(colo.code for colo in self._colos)

    @property
    def missing(self) -> list[Place]:
        """The regions of the catalogue that were not worked out yet."""
        places = (Place(region.vendor, region.name) for region in self._catalogue.regions())
        return [place for place in places if place not in self._tiers]

    def knows(self, place: Place) -> bool:
        """Whether `of` has the tier of a region at hand; else it works it out."""
        return place in self._tiers

    def knows_codes(self, place: Place) -> bool:
        """The same of `codes`."""
        return place in self._codes

    @property
    def eligible(self) -> tuple[str, ...]:
        """Every colo that can be an upper tier: what is used where no region is known."""
        return self._eligible

    def of(self, place: Place) -> Tier | None:
        """The tier of a region; None where the catalogue does not say where it is."""
        try:
            return self._tiers[place]
        except KeyError:
            self._tiers[place] = tier = self._tier_of(place)
            return tier

    def _tier_of(self, place: Place) -> Tier | None:
        region = self._catalogue.find(*place)
        return None if region is None else self._tier([region])

    def of_pool(self, places: Iterable[Place]) -> Tier | None:
        """One tier for several origins, those of unknown regions left out; None where nothing
        is known of any."""
        found = (self._catalogue.find(*place) for place in places)
        regions = [region for region in found if region is not None]
        return self._tier(regions) if regions else None

    def _tier(self, regions: Sequence[Region]) -> Tier:
        override = _override(regions, self.topology, self._successors)
        costs = [self._costs_of(region) for region in regions]
        return _chosen(regions, self.topology, partial(_ranked, self._colos, override, costs))

    def _costs_of(self, region: Region) -> Costs:
        found = self._costs.get(region)
        if found is None:
            self._costs[region] = found = costs_of(region, self._colos, self._latencies)
        return found

    def codes(self, place: Place) -> tuple[str, ...]:
        """The codes of a region's upper tier and fallbacks; all eligible ones where the region
        is unknown. Only they are kept, not the ranking: many topologies are tried out."""
        found = self._codes.get(place)
        if found is None:
            tier = self._tiers.get(place) or self._tier_of(place)
            found = self._eligible if tier is None else tuple(r.colo.code for r in tier.chosen)
            self._codes[place] = found
        return found


def _override(
    regions: Sequence[Region], topology: Topology, successors: Mapping[str, str]
) -> tuple[str, ...]:
    """The colos that the operator named, if for all of `regions` the same; retired ones are
    replaced by their successors."""
    named = {topology.overrides.get(f"{r.vendor}/{r.name}", ()) for r in regions}
    if len(named) != 1:
        return ()
    return tuple(dict.fromkeys(successors.get(code, code) for code in named.pop()))


def _reason(regions: Sequence[Region], best: Ranked) -> str:
    names = list(dict.fromkeys(f"{r.vendor} {r.name}" for r in regions))
    where = " and ".join([*names[:3], *["others"] * (len(names) > 3)])
    together = " in all" if len(regions) > 1 else ""
    if best.basis is Basis.OVERRIDE:
        why = f"an override names it for {where}"
    elif best.latency_ms is not None:
        why = f"{best.latency_ms:g} ms measured{together} to {where}"
    else:
        why = f"nearest to {where}, {best.distance_km:.0f} km{together}"
    return f"{best.colo.code}: {why}" + ("; all others are draining too" * best.colo.draining)

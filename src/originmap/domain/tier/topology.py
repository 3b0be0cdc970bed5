"""The topology: the colos of the cache network and their caches, with their state.

`domain.tier.topology_problems` validates topologies, `originmap.data` has the packaged one, and
`domain.tier.tier` chooses the upper tier of a region.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from originmap.domain.tier.cache import Cache, CacheState, serving
from originmap.domain.tier.continent import continent


class ColoState(StrEnum):
    """The state of a colo, which decides whether it can be an upper tier."""

    ACTIVE = "active"
    DRAINING = "draining"  # used only if there is no active colo
    DOWN = "down"  # not used
    RETIRED = "retired"  # not used, for good; `successor` replaces it


class HashPart(StrEnum):
    """A part of the hash key, which assigns a URL to one of the caches of a colo."""

    HOST = "host"
    PATH = "path"
    QUERY = "query"


class GenericTier(StrEnum):
    """How the upper tier of an origin without a mapping is chosen."""

    NEAREST = "nearest"  # the eligible colos nearest to the node
    HASH = "hash"  # one of the colos of the generic pool, by the hash key


@dataclass(frozen=True, slots=True)
class Colo:
    """One data centre of the cache network.

    `code` is unique in a topology: an IATA code, or the operator's own. `country` is an ISO 3166-1
    alpha-2 code. The coordinates are in decimal degrees. Only an `eligible` colo can be an upper
    tier. `region` is the operator's name for a part of the network, "" for the continent. `cost`,
    in milliseconds, is added to the latency. A colo is the upper tier of at most `max_share`
    percent of a vendor's origins.
    """

    code: str
    city: str
    country: str
    latitude: float
    longitude: float
    eligible: bool = True
    state: ColoState = ColoState.ACTIVE
    successor: str | None = None
    caches: tuple[Cache, ...] = ()
    region: str = ""
    cost: float = 0.0
    max_share: float = 100.0

    @property
    def usable(self) -> bool:
        """Whether the colo can be an upper tier in its current state: one whose caches are all
        down cannot."""
        return self.eligible and self.in_service

    @property
    def in_service(self) -> bool:
        """Whether the colo answers requests of other colos in its current state."""
        has_cache = not self.caches or bool(self.serving)
        return has_cache and self.state in (ColoState.ACTIVE, ColoState.DRAINING)

    @property
    def draining(self) -> bool:
        """Whether the colo ranks after every active one: it drains, or no cache of it is
        active."""
        if self.state is ColoState.DRAINING:
            return True
        return bool(self.caches) and all(c.state is not CacheState.ACTIVE for c in self.caches)

    @property
    def serving(self) -> tuple[Cache, ...]:
        """The caches that URLs are assigned to, by name."""
        return serving(self.caches)

    @property
    def network_region(self) -> str:
        """The region of the colo: the operator's name for it, or else its continent."""
        return self.region or continent(self.country)


@dataclass(frozen=True, slots=True)
class Topology:
    """The colos, and the settings for the choice of upper tiers.

    `overrides` has, for a region "vendor/region", the colos that rank first, in order. There are
    at most `fallbacks` fallbacks, each at least `apart_km` away from every colo before it. A
    latency measurement expires after `latency_seconds`.

    `cache_template` is the address of colos without caches, with {colo} for the code in lower case;
    "" if there is none. `hash_key` has the parts of a URL that assign it to a cache. `hubs` has the
    regional hubs by the region of colos. `generic` chooses the upper tier of origins without a
    mapping; for `hash`, among the colos of `generic_pool`, or all eligible ones if it is empty.
    `origins` counts the origins of each "vendor/region" at the time when shares were last computed.
    """

    colos: tuple[Colo, ...]
    overrides: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    apart_km: float = 150.0
    fallbacks: int = 1
    latency_seconds: int = 7 * 24 * 3600
    cache_template: str = ""
    hash_key: tuple[HashPart, ...] = (HashPart.HOST, HashPart.PATH, HashPart.QUERY)
    hubs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    generic: GenericTier = GenericTier.NEAREST
    generic_pool: tuple[str, ...] = ()
    origins: Mapping[str, int] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Constant: a database has one topology."""
        return "topology"

    def by_code(self) -> dict[str, Colo]:
        """The colos by their codes."""
        return {colo.code: colo for colo in self.colos}

    def eligible(self) -> tuple[Colo, ...]:
        """The colos that can be an upper tier in their current state, active ones first, then by
        code."""
        usable = [colo for colo in self.colos if colo.usable]
        return tuple(sorted(usable, key=lambda colo: (colo.draining, colo.code)))

    def pool(self) -> tuple[Colo, ...]:
        """The colos that the generic tier hashes over, by code: the active ones, or if there are
        none those that are draining."""
        named = frozenset(self.generic_pool)
        colos = [colo for colo in self.eligible() if not named or colo.code in named]
        active = [colo for colo in colos if not colo.draining]
        return tuple(active or colos)

    @property
    def has_caches(self) -> bool:
        """Whether any colo has caches."""
        return any(colo.caches for colo in self.colos)

    def successors(self) -> dict[str, str]:
        """The final successor of each retired colo that has one."""
        retired = {c.code: c.successor for c in self.colos if c.state is ColoState.RETIRED}
        successors: dict[str, str] = {}
        for code in retired:
            path: dict[str, None] = {}
            while (follows := retired.get(code)) and code not in path and code not in successors:
                path[code] = None
                code = follows
            last = successors.get(code, code)  # any colo of a cycle, since all of it is retired
            successors.update(dict.fromkeys(path, last))
        return successors

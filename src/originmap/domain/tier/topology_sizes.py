"""Limits of the size of a topology and of a change of one.

They bound the work on it, so they are checked before anything else.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from originmap.domain.tier.cache import MAX_CACHES

MAX_COLOS = 1000
"""Three times the size of the largest cache network."""
MAX_REGIONS = 5_000
"""Regions with an override, or with a number of origins: over twice the largest catalogue."""
MAX_LISTED = 20_000
"""Colos in all overrides, hubs and the generic pool."""
MAX_CACHE_CHANGES = 2 * MAX_CACHES
"""Enough to replace every cache."""


class Colos(Protocol):
    """A colo of which only the number of caches matters."""

    @property
    def caches(self) -> Sequence[object]: ...


class Measurable(Protocol):
    """A topology, or its document."""

    @property
    def colos(self) -> Sequence[Colos]: ...
    @property
    def overrides(self) -> Mapping[str, Sequence[str]]: ...
    @property
    def hubs(self) -> Mapping[str, Sequence[str]]: ...
    @property
    def generic_pool(self) -> Sequence[str]: ...
    @property
    def origins(self) -> Mapping[str, int]: ...


def size_of(topology: Measurable) -> int:
    """The number of entries, by which the work grows."""
    regions = len(topology.overrides) + len(topology.hubs) + len(topology.origins)
    return len(topology.colos) + _caches(topology) + _listed(topology) + regions


def size_problems(topology: Measurable) -> Iterator[str]:
    """What is too large, with its limit."""
    sizes = (
        (len(topology.colos), "colos", MAX_COLOS),
        (_caches(topology), "caches", MAX_CACHES),
        (len(topology.overrides), "overrides", MAX_REGIONS),
        (len(topology.hubs), "regions with hubs", MAX_COLOS),
        (len(topology.origins), "regions in origins", MAX_REGIONS),
        (_listed(topology), "colos in overrides, hubs and generic_pool", MAX_LISTED),
    )
    yield from _over(sizes)


def change_problems(states: Mapping[str, object], caches: Mapping[str, object]) -> Iterator[str]:
    """What is too large in a change, with its limit."""
    yield from _over(
        ((len(states), "states", MAX_COLOS), (len(caches), "caches to change", MAX_CACHE_CHANGES))
    )


def _over(sizes: Sequence[tuple[int, str, int]]) -> Iterator[str]:
    for size, what, limit in sizes:
        if size > limit:
            yield f"{size:,} {what}; the limit is {limit:,}"


def _caches(topology: Measurable) -> int:
    return sum(len(colo.caches) for colo in topology.colos)


def _listed(topology: Measurable) -> int:
    lists = (*topology.overrides.values(), *topology.hubs.values(), topology.generic_pool)
    return sum(map(len, lists))

"""Changes of single caches: pure functions from a topology to another one.

The result is not validated here, but together with everything else by
`domain.tier.topology_problems`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from originmap.domain.problems import MOST_PROBLEMS
from originmap.domain.tier.cache import Cache, CacheState
from originmap.domain.tier.topology import Topology

_SIMILAR = 3
_SUGGESTIONS = 3
"""Problems with similar names: to find them takes long among many caches."""


@dataclass(frozen=True, slots=True)
class CacheChange:
    """New values of a cache; None for a value that does not change. Another `colo` moves it."""

    colo: str | None = None
    address: str | None = None
    port: int | None = None
    weight: int | None = None
    state: CacheState | None = None
    tags: tuple[str, ...] | None = None

    @property
    def values(self) -> dict[str, Any]:
        """The new values of members of `Cache`."""
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: v for name, v in named.items() if v is not None and name != "colo"}

    def of(self, name: str) -> Cache:
        """A new cache with these values."""
        return Cache(**{"address": "", **self.values}, name=name)


CacheChanges = Mapping[str, CacheChange | None]
"""Changes by the name of the cache; None removes it."""


def caches_of(topology: Topology) -> dict[str, tuple[str, Cache]]:
    """The caches by name, each with the code of its colo."""
    return {cache.name: (colo.code, cache) for colo in topology.colos for cache in colo.caches}


def changed_caches(topology: Topology, changes: CacheChanges) -> tuple[Topology, list[str]]:
    """The topology with some caches changed, added or removed, and the first problems of the
    changes that cannot be made: a name that does not exist without a colo and an address, or a
    colo that does not exist."""
    known, problems = caches_of(topology), list[str]()
    by_colo = {colo.code: {cache.name: cache for cache in colo.caches} for colo in topology.colos}
    for name, change in changes.items():
        if len(problems) >= MOST_PROBLEMS:
            break
        before = known.get(name)
        if before is None and (change is None or not (change.colo and change.address)):
            few = len(problems) < _SUGGESTIONS
            problems.append(_unknown(name, known, removal=change is None, suggest=few))
            continue
        code = change and (change.colo or (before and before[0]))
        if change and code not in by_colo:
            problems.append(f"cache {name}: there is no colo {code}")
            continue
        if before and (change is None or code != before[0]):
            del by_colo[before[0]][name]
        if change and code:
            by_colo[code][name] = replace(before[1], **change.values) if before else change.of(name)
    colos = tuple(
        replace(colo, caches=tuple(by_colo[colo.code].values())) for colo in topology.colos
    )
    return replace(topology, colos=colos), problems


def _unknown(name: str, known: Mapping[str, object], *, removal: bool, suggest: bool) -> str:
    from difflib import get_close_matches  # a server starts sooner without it

    similar = get_close_matches(name, known, n=_SIMILAR) if suggest else []
    names = f" (similar names: {', '.join(similar)})" if similar else ""
    remedy = "" if removal else ": to add it, give colo and address"
    return f"there is no cache {name}{names}{remedy}"

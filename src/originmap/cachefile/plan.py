"""What a file of caches changes in a topology. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, fields

from originmap.cachefile.draft import CacheDraft
from originmap.cachefile.reader import HINT
from originmap.domain.tier.cache import Cache
from originmap.domain.tier.cache_changes import CacheChanges, caches_of, changed_caches
from originmap.domain.tier.topology import Topology
from originmap.mapfile.errors import WrongSource

_Placed = tuple[str, Cache]
"""A cache with the code of its colo."""


@dataclass(frozen=True, slots=True)
class CachePlan:
    """The caches before and after, by name, if they differ, and the number of others."""

    changes: CacheChanges
    moves: tuple[tuple[_Placed | None, _Placed | None], ...]
    unchanged: int

    def lines(self) -> Iterator[str]:
        """The plan for people, a line for each cache, then the totals."""
        if not self.moves:
            yield f"nothing to do: {self.unchanged:,} unchanged"
            return
        counts = {"+": 0, "~": 0, "-": 0}
        for before, after in self.moves:
            sign = "+" if before is None else "~" if after else "-"
            counts[sign] += 1
            code, cache = after or before or ("", Cache("", ""))
            values = _differences(before, after) if before and after else _values(cache)
            yield f"{sign} {code} {cache.name}  {values}"
        added, changed, removed = counts.values()
        totals = f"{added:,} to add, {changed:,} to change, {removed:,} to remove"
        yield f"{totals}; {self.unchanged:,} unchanged"


def plan_caches(topology: Topology, draft: CacheDraft, *, replace: bool) -> CachePlan:
    """The plan that makes the caches of a topology those of a file; with `replace` it removes those
    that are not in the file. Raises WrongSource if the file names a colo that does not exist."""
    codes, before = topology.by_code().keys(), caches_of(topology)
    strange = [e for e in draft.entries.values() if e.change.colo not in codes]
    if strange:
        problems = [f"{e.where}: there is no colo {e.change.colo}" for e in strange]
        raise WrongSource(problems, f"add the colo with originmap topology set; {HINT}")
    removed = before.keys() - draft.entries.keys() if replace else ()
    changes = {entry.name: entry.change for entry in draft.entries.values()}
    after = caches_of(changed_caches(topology, changes | dict.fromkeys(removed))[0])
    moves = [(before.get(name), after.get(name)) for name in sorted(before.keys() | after.keys())]
    differing = tuple(move for move in moves if move[0] != move[1])
    named = {cache.name for move in differing for _, cache in filter(None, move)}
    needed = {name: changes.get(name) for name in sorted(named)}
    return CachePlan(needed, differing, len(moves) - len(differing))


def _values(cache: Cache) -> str:
    parts = [cache.endpoint.text]
    parts += [f"weight {cache.weight}"] if cache.weight != 1 else []
    parts += [cache.state.value] if cache.state.value != "active" else []
    parts += [f"tags {' '.join(cache.tags)}"] if cache.tags else []
    return ", ".join(parts)


def _differences(before: _Placed, after: _Placed) -> str:
    parts = [f"colo {before[0]} -> {after[0]}"] if before[0] != after[0] else []
    for each in fields(Cache):
        old, new = getattr(before[1], each.name), getattr(after[1], each.name)
        if old != new:
            parts.append(f"{each.name} {_text(old)} -> {_text(new)}")
    return ", ".join(parts)


def _text(value: object) -> str:
    return (" ".join(value) or "none") if isinstance(value, tuple) else str(value)

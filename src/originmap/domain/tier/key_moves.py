"""What-if checks of caches: the share of URLs that would move to another cache, and the nodes
that would get another regional hub.

With ideal consistent hashing, the share is 1 - sum(min) / sum(max) over the weights of all caches
before and after: a URL moves only if its owner before leaves, or if its owner after is new. The
rings of real caches come close to that.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from originmap.domain.tier.cache import Cache
from originmap.domain.tier.chain import GENERIC, Hubs
from originmap.domain.tier.topology import Colo, GenericTier, Topology


class KeyMove(NamedTuple):
    """The share of the URLs of a colo, or of GENERIC, that would move to another cache: above 0, at
    most 1."""

    colo: str
    share: float


class HubMove(NamedTuple):
    """A colo whose nodes would get another regional hub; None for no hub."""

    colo: str
    before: str | None
    after: str | None


def moved_share(before: Iterable[Cache], after: Iterable[Cache]) -> float:
    """The share of URLs that would move, from 0 to 1."""
    old = {cache.endpoint: cache.weight for cache in before}
    new = {cache.endpoint: cache.weight for cache in after}
    every = old.keys() | new.keys()
    most = sum(max(old.get(each, 0), new.get(each, 0)) for each in every)
    least = sum(min(old.get(each, 0), new.get(each, 0)) for each in every)
    return 1 - least / most if most else 0.0


def key_moves(before: Topology, after: Topology) -> list[KeyMove]:
    """The colos whose URLs would move, by code, then GENERIC. Colos that are new or would no longer
    exist, and colos without caches, are left out."""
    new = after.by_code()
    found = []
    for colo in before.colos:
        other = new.get(colo.code)
        if other is not None and colo.caches and other.caches:
            found.append(KeyMove(colo.code, moved_share(colo.serving, other.serving)))
    found.sort()
    if GenericTier.HASH in (before.generic, after.generic):
        found.append(KeyMove(GENERIC, _moved_generic(before, after)))
    return [move for move in found if move.share > 0]


def _moved_generic(before: Topology, after: Topology) -> float:
    """All URLs move if the generic tier is by hash on one side only."""
    if before.generic is not after.generic:
        return 1.0
    return moved_share(_pool(before), _pool(after))


def _pool(topology: Topology) -> Iterable[Cache]:
    for colo in topology.pool():
        yield from colo.serving or (_whole(colo),)


def _whole(colo: Colo) -> Cache:
    """A colo without caches of its own counts as one."""
    return Cache(colo.code.lower(), colo.code.lower())


def hub_moves(before: Topology, after: Topology) -> Iterator[HubMove]:
    """The hubs of the colos of both topologies, by code, before and after, changed or not: each
    step takes little time, but all of them can take a second."""
    old_hubs, new_hubs, new = Hubs(before), Hubs(after), after.by_code()
    for code, colo in sorted(before.by_code().items()):
        if code in new:
            yield HubMove(code, old_hubs.of(colo), new_hubs.of(new[code]))

"""Cold-cache moves of a plan: origins whose upper tier changes.

The new upper tier starts with a cold cache. An origin without a mapping has no upper tier: any
colo fills from it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Place
from originmap.domain.plan.plan import Plan, PoolsPlan, State, ZonePlan, applied
from originmap.domain.tier.tier import Tiers
from originmap.domain.zone.pool import Pool


class ColdMove(NamedTuple):
    """A number of origins of a zone move from one upper tier to another; None means any colo."""

    zone: str
    before: str | None
    after: str | None
    origins: int


class Pooled(NamedTuple):
    """The pools of a zone, before and after a plan, and its live mappings."""

    pools: PoolsPlan
    live: State


def cold_moves(
    plan: Plan, tiers: Tiers, pooled: Mapping[str, Pooled] = MappingProxyType({})
) -> list[ColdMove]:
    """All moves of a plan, the largest first. `pooled`: the zones with pools, by ID; there a change
    can move the other members of a pool too."""
    counts: Counter[tuple[str, str | None, str | None]] = Counter()
    for zone in plan.zones:
        before, after = _colos(zone, pooled.get(zone.id), tiers)
        for address in {*before, *after}:
            if before.get(address) != after.get(address):
                counts[zone.name, before.get(address), after.get(address)] += 1
    moves = [ColdMove(*key, origins) for key, origins in counts.items()]
    return sorted(moves, key=lambda m: (-m.origins, m.zone, m.before or "", m.after or ""))


Colos = Mapping[Address, str | None]


def _colos(zone: ZonePlan, pooled: Pooled | None, tiers: Tiers) -> tuple[Colos, Colos]:
    """The upper tiers of the origins that can move, before and after the plan."""
    if pooled is None:
        return (
            {change.address: _colo(change.before, tiers) for change in zone.changes},
            {change.address: _colo(change.after, tiers) for change in zone.changes},
        )
    states = (pooled.live, applied(zone.changes, pooled.live))
    before, after = (
        _in_pools(pools, state, tiers) for pools, state in zip(pooled.pools, states, strict=True)
    )
    return before, after


def _in_pools(pools: Iterable[Pool], state: State, tiers: Tiers) -> Colos:
    found = {address: _colo(place, tiers) for address, place in state.items()}
    for pool in pools:
        tier = tiers.of_pool(state[address] for address in pool.addresses if address in state)
        if tier is not None:
            found |= dict.fromkeys(pool.addresses, tier.primary.colo.code)
    return found


def _colo(place: Place | None, tiers: Tiers) -> str | None:
    tier = None if place is None else tiers.of(place)
    return None if tier is None else tier.primary.colo.code

"""Resolution: which colos a cache fills from, and what would move under another topology."""

import itertools
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import MAX_MAPPINGS, Place
from originmap.domain.tier.resolution import Resolution, resolve, resolve_members, resolve_pool
from originmap.domain.tier.tier import Tiers
from originmap.domain.tier.topology import ColoState, Topology
from originmap.domain.tier.topology_problems import check, with_states
from originmap.domain.tier.whatif import Count, Move, PoolCount, moves, pool_move, urgency
from originmap.domain.zone.zone import Zone
from originmap.service.tier.topology import Topologies
from originmap.store.port import Store

MAX_IPS = 100
"""Maximum of addresses in one request."""


class Answer(NamedTuple):
    """Resolutions in the order of the requested addresses, and their revision."""

    revision: int
    resolutions: list[Resolution]


class Resolve:
    """Resolves the origins of a zone that the caller may read."""

    def __init__(self, store: Store, topologies: Topologies) -> None:
        self._store = store
        self._topologies = topologies
        self.turns = topologies.turns

    async def each(self, zone: Zone, addresses: Sequence[Address]) -> Answer:
        """Return a resolution for each address; that of its pool if it is in one."""
        revision, tiers = self._store.revision, self._topologies.tiers()
        pools = [pool for pool in zone.pools if not set(addresses).isdisjoint(pool.addresses)]
        members = {address for pool in pools for address in pool.addresses}
        places = await self._places(zone, {*addresses, *members})
        await self._compute(tiers, places.values())
        if pools:
            await self.turns.next()
        pooled = resolve_members(replace(zone, pools=tuple(pools)), places.get, tiers)
        return Answer(
            revision,
            [pooled.get(each) or resolve(zone, places.get(each), tiers) for each in addresses],
        )

    async def pool(self, zone: Zone, addresses: Sequence[Address]) -> Answer:
        """Return one resolution for a pool of addresses."""
        revision, tiers = self._store.revision, self._topologies.tiers()
        found = await self._places(zone, addresses)
        places = [found.get(address) for address in addresses]
        await self._compute(tiers, places)
        if len(places) > 1:
            await self.turns.next()
        return Answer(revision, [resolve_pool(zone, places, tiers)])

    async def moves(self, after: Topology, zones: Sequence[Zone]) -> list[Move]:
        """Return the moves in these zones under another topology. Raises InvalidTopology."""
        checked = await self.turns.on_thread(check, after)
        counted = await self._topologies.counted(checked)
        old, new = self._topologies.tiers(), self._topologies.tiers_of(counted)
        await self._topologies.assign_shares(new)
        all_moves: list[Move] = []
        for zone in zones:
            await self.turns.next()  # other requests are served between zones
            counts, pools = await self._counts(zone)
            places = {count.place for count in counts}
            await self._compute(old, places)
            for tiers, place in itertools.product((old, new), places):
                if not tiers.knows_codes(place):
                    await self.turns.next()
                    tiers.codes(place)
            all_moves += moves(zone, counts, old, new)
            filled = zone.tiered_cache.on and zone.smart_tiered_cache.on
            for pool in pools if filled else ():
                await self.turns.next()
                move = pool_move(pool, old, new)
                all_moves += [] if move is None else [move]
        return sorted(all_moves, key=urgency)

    @property
    def current(self) -> Topology:
        """The current topology."""
        return self._topologies.current

    def with_states(self, states: Mapping[str, ColoState]) -> Topology:
        """Return the current topology with other states of some colos. Raises InvalidTopology."""
        return with_states(self._topologies.current, states)

    async def _compute(self, tiers: Tiers, places: Iterable[Place | None]) -> None:
        """Compute the tiers of these regions, each in a turn of its own."""
        await self._topologies.assign_shares(tiers)
        for place in places:
            if place is not None and not tiers.knows(place):
                await self.turns.next()
                tiers.of(place)

    async def _counts(self, zone: Zone) -> tuple[list[Count], list[PoolCount]]:
        """Return the origins of a zone by region, without those in pools that have a mapping, and
        these pools."""
        counts = await self._store.count_places([zone.id])
        if not zone.pools:
            return counts, []
        members = [(pool, pool.addresses) for pool in zone.pools]
        places = await self._places(zone, {a for _, addresses in members for a in addresses})
        pooled, pools = Counter[Place](), list[PoolCount]()
        for pool, addresses in members:
            mapped = tuple(places[address] for address in addresses if address in places)
            pooled.update(mapped)
            if mapped:
                pools.append(PoolCount(zone.id, pool.name, len(addresses), mapped))
        rest = [replace(each, origins=each.origins - pooled[each.place]) for each in counts]
        return [each for each in rest if each.origins > 0], pools

    async def _places(self, zone: Zone, addresses: Collection[Address]) -> dict[Address, Place]:
        """Return the place of each address with a mapping; many are read as a whole list."""
        if len(addresses) > MAX_IPS:
            mappings = (await self._store.page(zone.id, 0, MAX_MAPPINGS)).mappings
        else:
            found = [await self._store.get(zone.id, address) for address in addresses]
            mappings = [mapping for mapping in found if mapping is not None]
        return {mapping.address: mapping.place for mapping in mappings}

"""Resolution: which colos a cache fills from, and what would move under another topology."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Place
from originmap.domain.tier.resolution import Resolution, resolve, resolve_pool
from originmap.domain.tier.tier import Tiers
from originmap.domain.tier.topology import ColoState, Topology
from originmap.domain.tier.topology_problems import check, with_states
from originmap.domain.tier.whatif import Move, moves, urgency
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
        """Return a resolution for each address."""
        revision, tiers = self._store.revision, self._topologies.tiers()
        places = [await self._place(zone, address) for address in addresses]
        await self._compute(tiers, places)
        return Answer(revision, [resolve(zone, place, tiers) for place in places])

    async def pool(self, zone: Zone, addresses: Sequence[Address]) -> Answer:
        """Return one resolution for a pool of addresses."""
        revision, tiers = self._store.revision, self._topologies.tiers()
        places = [await self._place(zone, address) for address in addresses]
        await self._compute(tiers, places)
        if len(places) > 1:
            await self.turns.next()
        return Answer(revision, [resolve_pool(zone, places, tiers)])

    async def moves(self, after: Topology, zones: Sequence[Zone]) -> list[Move]:
        """Return the moves in these zones under another topology. Raises InvalidTopology."""
        counted = await self._topologies.counted(check(after))
        old, new = self._topologies.tiers(), self._topologies.tiers_of(counted)
        all_moves: list[Move] = []
        for zone in zones:
            await self.turns.next()  # other requests are served between zones
            counts = await self._store.count_places([zone.id])
            places = {count.place for count in counts}
            await self._compute(old, places)
            for tiers, place in itertools.product((old, new), places):
                if not tiers.knows_codes(place):
                    await self.turns.next()
                    tiers.codes(place)
            all_moves += moves(zone, counts, old, new)
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
        for place in places:
            if place is not None and not tiers.knows(place):
                await self.turns.next()
                tiers.of(place)

    async def _place(self, zone: Zone, address: Address) -> Place | None:
        mapping = await self._store.get(zone.id, address)
        return None if mapping is None else mapping.place

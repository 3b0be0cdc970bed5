"""The topology in force, the latencies, and the tiers that follow from both."""

import asyncio
from collections.abc import Mapping, Sequence

from originmap.domain.history.change import Cause
from originmap.domain.history.record import RecordChange
from originmap.domain.mapping.catalogue import Catalogue
from originmap.domain.tier.latency import Fresh, Latencies, Measurement, check, fresh
from originmap.domain.tier.tier import Tiers
from originmap.domain.tier.topology import ColoState, Topology
from originmap.domain.tier.topology_rules import set_latencies, set_states, set_topology
from originmap.service.turns import Turns
from originmap.store.clock import Now
from originmap.store.port import Store

_MINUTE = 60_000_000


class Topologies:
    """Follows the store's records; makes new tiers when they, or the age of a measurement,
    change."""

    def __init__(self, store: Store, catalogue: Catalogue, default: Topology, now: Now) -> None:
        self._store = store
        self._catalogue = catalogue
        self._default = default
        self._now = now
        self._topology = default
        self._latencies = Latencies()
        self._tiers: Tiers | None = None
        self._until: int | None = None
        self._known: tuple[Latencies, int, Fresh, int | None] | None = None
        self.turns = Turns()
        """For all long work of this process."""
        store.follow_records(self._apply)

    @property
    def current(self) -> Topology:
        """The operator's topology, or the packaged one."""
        return self._topology

    @property
    def latencies(self) -> Latencies:
        """Every measurement, those that count no more included."""
        return self._latencies

    def tiers(self) -> Tiers:
        """The tiers of now."""
        stale = self._until is not None and self._now() >= self._until
        if self._tiers is None or stale:
            self._tiers, self._until = self._made(self._topology)
        return self._tiers

    async def all_tiers(self) -> Tiers:
        """As `tiers`, with those of every region of the catalogue worked out, in turns."""
        tiers = self.tiers()
        for place in tiers.missing:
            if not tiers.knows(place):
                await self.turns.next()
                tiers.of(place)
        return tiers

    def tiers_of(self, topology: Topology) -> Tiers:
        """The tiers as they would be under another topology."""
        return self._made(topology)[0]

    def tiers_as_of(self, topology: Topology | None, latencies: Latencies) -> Tiers:
        """The tiers under what was set and measured at some time, None for what is packaged."""
        then = topology or self._default
        counting, _ = fresh(latencies, then.latency_seconds, self._now())
        return Tiers(self._catalogue, then, counting)

    async def set(self, topology: Topology, cause: Cause) -> Topology:
        """Replace the topology. Raises InvalidTopology."""
        return (await self._store.write_records(set_topology(topology), cause)).outcome

    async def set_states(self, states: Mapping[str, ColoState], cause: Cause) -> Topology:
        """Give colos other states. Raises InvalidTopology."""
        decide = set_states(states, self._default)
        return (await self._store.write_records(decide, cause)).outcome

    async def set_latencies(self, measurements: Sequence[Measurement], cause: Cause) -> Latencies:
        """Replace all measurements. Raises InvalidLatencies."""
        # On a thread: it has no pieces, and takes up to a tenth of a second.
        checked = await asyncio.to_thread(check, measurements, self._now())
        decide = set_latencies(checked)
        await self.turns.next()
        return (await self._store.write_records(decide, cause)).outcome

    def _made(self, topology: Topology) -> tuple[Tiers, int | None]:
        """Tiers, and when the next of the measurements behind them stops to count.

        That is at the end of a minute, so that many which were made one after the other are let
        go together.
        """
        counting, until = self._counting(topology.latency_seconds)
        if until is not None:
            until += -until % _MINUTE
        return Tiers(self._catalogue, topology, counting), until

    def _counting(self, seconds: int) -> tuple[Fresh, int | None]:
        """The measurements that count, and until when; looked through once for many topologies."""
        now, known = self._now(), self._known
        if (
            known is None
            or known[0] is not self._latencies
            or known[1] != seconds
            or now >= (known[3] or now + 1)
        ):
            found = fresh(self._latencies, seconds, now)
            self._known = known = (self._latencies, seconds, *found)
        return known[2], known[3]

    def _apply(self, changes: Sequence[RecordChange]) -> None:
        for change in changes:
            match change.before, change.after:
                case _, Topology() as topology:
                    self._topology, self._tiers = topology, None
                case Topology(), None:
                    self._topology, self._tiers = self._default, None
                case _, Latencies() as latencies:
                    self._latencies, self._tiers = latencies, None
                case Latencies(), None:
                    self._latencies, self._tiers = Latencies(), None

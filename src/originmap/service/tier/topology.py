"""The current topology, the latencies, and the tiers that follow from them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from originmap.domain.history.change import Cause
from originmap.domain.history.record import RecordChange
from originmap.domain.mapping.catalogue import Catalogue, CatalogueSource
from originmap.domain.tier.cache_changes import CacheChanges
from originmap.domain.tier.latency import Fresh, Latencies, Measurement, check, fresh
from originmap.domain.tier.tier import Tiers
from originmap.domain.tier.topology import ColoState, Topology
from originmap.domain.tier.topology_rules import change_topology, set_latencies, set_topology
from originmap.domain.zone.zone import Zone
from originmap.service.mapping.origin_counts import origin_counts
from originmap.service.turns import Turns
from originmap.store.clock import Now
from originmap.store.port import Store

_MINUTE = 60_000_000


class Topologies:
    """Tracks the store's records, and computes new tiers when a record changes or a measurement
    expires."""

    def __init__(
        self, store: Store, catalogue: CatalogueSource, default: Topology, now: Now
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._default = default
        self._now = now
        self._topology = default
        self._latencies = Latencies()
        self._pooled = set[str]()
        """The IDs of the zones with pools."""
        self._tiers: Tiers | None = None
        self._tiers_of: Catalogue | None = None
        self._until: int | None = None
        self._zones: set[str] = set()
        self._cached: tuple[Latencies, int, Fresh, int | None] | None = None
        self.turns = Turns()
        """Turns for all long work of this process."""
        store.follow_records(self._apply)

    @property
    def current(self) -> Topology:
        """The operator's topology, or the packaged one if none was set."""
        return self._topology

    @property
    def latencies(self) -> Latencies:
        """Every measurement, including expired ones."""
        return self._latencies

    def tiers(self) -> Tiers:
        """Return the current tiers."""
        stale = self._until is not None and self._now() >= self._until
        catalogue = self._catalogue()
        if self._tiers is None or stale or self._tiers_of is not catalogue:
            self._tiers, self._until = self._new_tiers(self._topology)
            self._tiers_of = catalogue
        return self._tiers

    async def all_tiers(self) -> Tiers:
        """Return the current tiers after computing those of every region of the catalogue and, if a
        zone has pools, of every pool, in turns."""
        tiers = self.tiers()
        await self.assign_shares(tiers)
        for place in tiers.missing:
            if not tiers.knows(place):
                await self.turns.next()
                tiers.of(place)
        for code in tiers.eligible if self._pooled else ():
            if not tiers.knows_near(code):
                await self.turns.next()
                tiers.near(code)
        return tiers

    async def assign_shares(self, tiers: Tiers) -> None:
        """Compute the maximum shares of these tiers, if there are any, beside the event loop."""
        if tiers.limited:
            await self.turns.on_thread(tiers.assign_shares)

    def tiers_of(self, topology: Topology) -> Tiers:
        """Return the tiers under another topology."""
        return self._new_tiers(topology)[0]

    def tiers_as_of(
        self, topology: Topology | None, latencies: Latencies, catalogue: Catalogue
    ) -> Tiers:
        """Return the tiers under a past topology, None for the packaged one, past latencies and a
        past catalogue."""
        then = topology or self._default
        valid, _ = fresh(latencies, then.latency_seconds, self._now())
        return Tiers(catalogue, then, valid)

    async def set(self, topology: Topology, cause: Cause) -> Topology:
        """Replace the topology, with the origins counted if it needs them. Raises
        InvalidTopology."""
        decide = await self.turns.on_thread(set_topology, await self.counted(topology))
        return (await self._store.write_records(decide, cause)).outcome

    async def counted(self, topology: Topology) -> Topology:
        """Return the topology with the current number of origins in each region, if a colo has a
        maximum share and the topology has no numbers yet.

        The numbers are stored with it, because tiers must not depend on which mappings a node can
        see, and must not change with every mapping.
        """
        if topology.origins or all(colo.max_share == 100 for colo in topology.colos):
            return topology
        origins = Counter[str]()
        async for count in origin_counts(self._store, sorted(self._zones), self.turns):
            origins["/".join(count.place)] += count.origins
        return replace(topology, origins=dict(sorted(origins.items())))

    async def change(
        self, states: Mapping[str, ColoState], caches: CacheChanges, cause: Cause
    ) -> Topology:
        """Set the states of some colos, and change some caches. Raises InvalidTopology."""
        decide = change_topology(states, caches, self._default)
        return (await self._store.write_records(decide, cause)).outcome

    async def set_latencies(self, measurements: Sequence[Measurement], cause: Cause) -> Latencies:
        """Replace all measurements. Raises InvalidLatencies."""
        now, current = self._now(), self._latencies
        checked = await self.turns.on_thread(_checked, measurements, now, current)
        decide = set_latencies(checked)
        await self.turns.next()
        return (await self._store.write_records(decide, cause)).outcome

    def _new_tiers(self, topology: Topology) -> tuple[Tiers, int | None]:
        """Return new tiers, and when the next of their measurements expires.

        That time is rounded up to a minute, so that measurements of about the same age expire
        together.
        """
        valid, until = self._valid_latencies(topology.latency_seconds)
        if until is not None:
            until += -until % _MINUTE
        return Tiers(self._catalogue(), topology, valid), until

    def _valid_latencies(self, seconds: int) -> tuple[Fresh, int | None]:
        """Return the valid measurements and when the next one expires; cached across topologies."""
        now, cached = self._now(), self._cached
        if (
            cached is None
            or cached[0] is not self._latencies
            or cached[1] != seconds
            or now >= (cached[3] or now + 1)
        ):
            valid = fresh(self._latencies, seconds, now)
            self._cached = cached = (self._latencies, seconds, *valid)
        return cached[2], cached[3]

    def _apply(self, changes: Sequence[RecordChange]) -> None:
        for change in changes:
            match change.before, change.after:
                case _, Topology() as topology:
                    self._topology, self._tiers = topology, None
                case Topology(), None:
                    self._topology, self._tiers = self._default, None
                case _, Zone() as zone:
                    self._zones.add(zone.id)
                    (self._pooled.add if zone.pools else self._pooled.discard)(zone.id)
                case Zone() as zone, None:
                    self._zones.discard(zone.id)
                    self._pooled.discard(zone.id)
                case _, Latencies() as latencies:
                    self._latencies, self._tiers = latencies, None
                case Latencies(), None:
                    self._latencies, self._tiers = Latencies(), None


def _checked(measurements: Sequence[Measurement], now: int, current: Latencies) -> Latencies:
    """Validate measurements. The result is `current` if it is equal, so that nobody compares all of
    them again."""
    checked = check(measurements, now)
    return current if checked == current else checked

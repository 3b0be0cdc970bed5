"""Rules that set the topology and the latencies."""

from collections.abc import Mapping

from originmap.domain.history.record import (
    Key,
    Kind,
    RecordChange,
    RecordDecide,
    RecordDecision,
    RecordsView,
)
from originmap.domain.tier.cache_changes import CacheChanges
from originmap.domain.tier.latency import Latencies
from originmap.domain.tier.topology import ColoState, Topology
from originmap.domain.tier.topology_problems import check, with_changes

_TOPOLOGY = Key(Kind.TOPOLOGY, "topology")
_LATENCIES = Key(Kind.LATENCIES, "latencies")


def set_topology(topology: Topology) -> RecordDecide[Topology]:
    """Replace the topology. Raises InvalidTopology at once, not in the transaction."""
    check(topology)

    def decide(records: RecordsView) -> RecordDecision[Topology]:
        stored = records.get(_TOPOLOGY)
        if stored == topology:
            return RecordDecision((), topology)
        return RecordDecision((RecordChange(_TOPOLOGY, stored, topology),), topology)

    return decide


def change_topology(
    states: Mapping[str, ColoState], caches: CacheChanges, default: Topology
) -> RecordDecide[Topology]:
    """Set the states of colos, by code, and change caches, by name; `default` is the topology if
    the operator has set none.

    If nothing changes, the default topology is not stored, so that later versions can extend it.

    Raises InvalidTopology if a colo or a cache does not exist, or the result is not valid.
    """

    def decide(records: RecordsView) -> RecordDecision[Topology]:
        stored = records.get(_TOPOLOGY)
        current = stored if isinstance(stored, Topology) else default
        changed = with_changes(current, states, caches)
        if changed == current:
            return RecordDecision((), current)
        return RecordDecision((RecordChange(_TOPOLOGY, stored, changed),), changed)

    return decide


def set_latencies(latencies: Latencies) -> RecordDecide[Latencies]:
    """Replace all measurements."""

    def decide(records: RecordsView) -> RecordDecision[Latencies]:
        stored = records.get(_LATENCIES)
        if stored == latencies:
            return RecordDecision((), latencies)
        return RecordDecision((RecordChange(_LATENCIES, stored, latencies),), latencies)

    return decide

"""The JSON of a topology in requests, responses and files.

Unknown members are rejected by name, so that a misspelled "eligable": false does not leave a colo
eligible.
"""

import msgspec

from originmap.domain.tier.topology import ColoState, Topology

_DEFAULTS = Topology(())


class ColoJSON(msgspec.Struct, forbid_unknown_fields=True):
    """A colo in requests and responses."""

    code: str
    city: str
    country: str
    latitude: float
    longitude: float
    eligible: bool = True
    state: ColoState = ColoState.ACTIVE
    successor: str | None = None


class TopologyJSON(msgspec.Struct, forbid_unknown_fields=True):
    """A topology in requests and responses."""

    colos: list[ColoJSON]
    overrides: dict[str, list[str]] = {}
    apart_km: float = _DEFAULTS.apart_km
    fallbacks: int = _DEFAULTS.fallbacks
    latency_seconds: int = _DEFAULTS.latency_seconds


def topology_of(document: TopologyJSON) -> Topology:
    """Convert the document to a topology. Its rules are checked when it is set."""
    return msgspec.convert(msgspec.to_builtins(document), Topology)

"""The JSON of a topology: the document that is sent, answered, and kept in files.

What is unknown in it is refused by name: an eligible colo should not come of a misspelled
"eligable": false.
"""

import msgspec

from originmap.domain.tier.topology import ColoState, Topology

_UNSAID = Topology(())


class ColoJSON(msgspec.Struct, forbid_unknown_fields=True):
    """A colo as it is sent and answered."""

    code: str
    city: str
    country: str
    latitude: float
    longitude: float
    eligible: bool = True
    state: ColoState = ColoState.ACTIVE
    successor: str | None = None


class TopologyJSON(msgspec.Struct, forbid_unknown_fields=True):
    """A topology as it is sent and answered."""

    colos: list[ColoJSON]
    overrides: dict[str, list[str]] = {}
    apart_km: float = _UNSAID.apart_km
    fallbacks: int = _UNSAID.fallbacks
    latency_seconds: int = _UNSAID.latency_seconds


def topology_of(document: TopologyJSON) -> Topology:
    """The topology that was sent; whether it makes sense is checked when it is set."""
    return msgspec.convert(msgspec.to_builtins(document), Topology)

"""The JSON of a topology in requests, responses and files.

Unknown members are rejected by name, so that a misspelled "eligable": false does not leave a colo
eligible.
"""

import msgspec

from originmap.domain.tier.cache import CacheState
from originmap.domain.tier.topology import ColoState, GenericTier, HashPart, Topology

_DEFAULTS = Topology(())


class CacheJSON(msgspec.Struct, forbid_unknown_fields=True):
    """A cache in requests and responses."""

    name: str
    address: str
    port: int = 80
    weight: int = 1
    state: CacheState = CacheState.ACTIVE
    tags: list[str] = []


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
    caches: list[CacheJSON] = []
    region: str = ""
    cost: float = 0.0
    max_share: float = 100.0


class TopologyJSON(msgspec.Struct, forbid_unknown_fields=True):
    """A topology in requests and responses."""

    colos: list[ColoJSON]
    overrides: dict[str, list[str]] = {}
    apart_km: float = _DEFAULTS.apart_km
    fallbacks: int = _DEFAULTS.fallbacks
    latency_seconds: int = _DEFAULTS.latency_seconds
    cache_template: str = ""
    hash_key: list[HashPart] = msgspec.field(default_factory=lambda: list(_DEFAULTS.hash_key))
    hubs: dict[str, list[str]] = {}
    generic: GenericTier = _DEFAULTS.generic
    generic_pool: list[str] = []
    origins: dict[str, int] = {}


def topology_of(document: TopologyJSON) -> Topology:
    """Convert the document to a topology. Its rules are checked when it is set."""
    return msgspec.convert(msgspec.to_builtins(document), Topology)

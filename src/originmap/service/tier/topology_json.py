"""The JSON of a topology in requests, responses and files.

Unknown members are rejected by name, so that a misspelled "eligable": false does not leave a colo
eligible.
"""

from collections.abc import Mapping

import msgspec

from originmap.domain.errors import InvalidTopology
from originmap.domain.tier.cache import CacheState
from originmap.domain.tier.cache_changes import CacheChange
from originmap.domain.tier.topology import ColoState, GenericTier, HashPart, Topology
from originmap.domain.tier.topology_sizes import change_problems, size_problems

_DEFAULTS = Topology(())


class CacheJSON(msgspec.Struct, forbid_unknown_fields=True):
    """A cache in requests and responses."""

    name: str
    address: str
    port: int = 80
    weight: int = 1
    state: CacheState = CacheState.ACTIVE
    tags: list[str] = []


class CacheChangeJSON(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """New values of a cache in requests."""

    colo: str | msgspec.UnsetType = msgspec.UNSET
    address: str | msgspec.UnsetType = msgspec.UNSET
    port: int | msgspec.UnsetType = msgspec.UNSET
    weight: int | msgspec.UnsetType = msgspec.UNSET
    state: CacheState | msgspec.UnsetType = msgspec.UNSET
    tags: list[str] | msgspec.UnsetType = msgspec.UNSET


class TopologyChangeJSON(msgspec.Struct, forbid_unknown_fields=True):
    """New states of some colos, by code, and changes of caches, by name; null removes a cache."""

    states: dict[str, ColoState] | None = None
    caches: dict[str, CacheChangeJSON | None] | None = None


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
    """Convert the document to a topology. Its rules are checked when it is set. Raises
    InvalidTopology if it is too large."""
    if too_large := list(size_problems(document)):
        raise InvalidTopology(too_large)
    return msgspec.convert(msgspec.to_builtins(document), Topology)


def cache_changes(
    documents: Mapping[str, CacheChangeJSON | None],
) -> dict[str, CacheChange | None]:
    """Convert changes of caches, by name; None removes a cache. Raises InvalidTopology if they are
    too many."""
    if too_large := list(change_problems({}, documents)):
        raise InvalidTopology(too_large)
    return msgspec.convert(msgspec.to_builtins(documents), dict[str, CacheChange | None])

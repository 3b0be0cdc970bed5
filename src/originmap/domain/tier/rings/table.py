"""The cache software whose choice of a cache is reproduced."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from originmap.domain.tier.cache import Cache
from originmap.domain.tier.hash_key import HashKey
from originmap.domain.tier.rings import envoy, haproxy, nginx, trafficserver, varnish

MOST_POINTS = 300_000
"""Larger rings are not built, because that takes more than about half a second."""


class Ring(NamedTuple):
    """The consistent hashing of one cache software."""

    owner: Callable[[Sequence[Cache], HashKey], Cache | None]
    points: Callable[[Sequence[Cache]], int]


def _of_traffic_server(caches: Sequence[Cache], key: HashKey) -> Cache | None:
    """Traffic Server hashes the URL after remap, whose host only the operator knows."""
    return None if key.host else trafficserver.owner(caches, key.rest)


RINGS: Mapping[str, Ring] = {
    "nginx": Ring(lambda caches, key: nginx.owner(caches, key.whole), nginx.points),
    "haproxy": Ring(lambda caches, key: haproxy.owner(caches, key.whole), haproxy.points),
    "varnish": Ring(lambda caches, key: varnish.owner(caches, key.whole), varnish.points),
    "trafficserver": Ring(_of_traffic_server, trafficserver.points),
    "envoy": Ring(lambda caches, key: envoy.owner(caches, key.parts), envoy.points),
}
"""By the name of the export format."""


def owners(caches: Sequence[Cache], key: HashKey) -> dict[str, str | None]:
    """The name of the cache that each software assigns a key to, None if it is not known."""
    return {name: _owner(ring, caches, key) for name, ring in RINGS.items()}


def _owner(ring: Ring, caches: Sequence[Cache], key: HashKey) -> str | None:
    if len(caches) < 2:
        return caches[0].name if caches else None
    owner = ring.owner(caches, key) if ring.points(caches) <= MOST_POINTS else None
    return owner.name if owner else None

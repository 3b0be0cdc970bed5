"""The cache software whose choice of a cache is reproduced."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from originmap.domain.tier.cache import Cache
from originmap.domain.tier.rings import nginx

MOST_POINTS = 2_000_000
"""Larger rings are not built, because that takes more than about a second."""


class Ring(NamedTuple):
    """The consistent hashing of one cache software."""

    owner: Callable[[Sequence[Cache], bytes], Cache]
    points: Callable[[Sequence[Cache]], int]


RINGS: Mapping[str, Ring | None] = {
    "nginx": Ring(nginx.owner, nginx.points),
    "haproxy": None,
    "varnish": None,
    "trafficserver": None,
    "envoy": None,
}
"""By the name of the export format; None if the software's choice cannot be reproduced."""


def owners(caches: Sequence[Cache], key: bytes) -> dict[str, str | None]:
    """The name of the cache that each software assigns a key to, None if it is not known."""
    return {name: _owner(ring, caches, key) for name, ring in RINGS.items()}


def _owner(ring: Ring | None, caches: Sequence[Cache], key: bytes) -> str | None:
    if len(caches) < 2:
        return caches[0].name if caches else None
    if ring is None or ring.points(caches) > MOST_POINTS:
        return None
    return ring.owner(caches, key).name

"""The shard director of Varnish, as in vmod_directors_shard_cfg.c and _dir.c of its source.

A cache has REPLICAS points on the ring for each unit of its weight: the hashes of its name and a
number from 0. A hash is the last 32 bits of a SHA-256, little-endian. A key belongs to the first
point that is not before its own hash, or to the last point; the search does not wrap around.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import sha256

from originmap.domain.tier.cache import Cache

REPLICAS = 1_000
"""Points for a unit of weight; with Varnish's default of 67 the shares of caches are uneven."""


def owner(caches: Sequence[Cache], key: bytes) -> Cache:
    """The cache that a key is assigned to, of one or more that are healthy."""
    ring, owners = _ring(tuple((cache.name, cache.weight) for cache in caches))
    index = min(bisect_left(ring, _hash(key)), len(ring) - 1)
    return caches[owners[index]]


def points(caches: Sequence[Cache]) -> int:
    """The number of points, which bounds the work of `owner`."""
    return sum(cache.weight for cache in caches) * REPLICAS


@lru_cache(maxsize=8)
def _ring(members: tuple[tuple[str, int], ...]) -> tuple[Sequence[int], Sequence[int]]:
    """The points in order, and the index of the cache of each."""
    ring = sorted(_points(members))
    return [point for point, _ in ring], [index for _, index in ring]


def _points(members: Sequence[tuple[str, int]]) -> Iterator[tuple[int, int]]:
    for index, (name, weight) in enumerate(members):
        for number in range(REPLICAS * weight):
            yield _hash(f"{name}{number}".encode()), index


def _hash(text: bytes) -> int:
    return int.from_bytes(sha256(text).digest()[-4:], "little")

"""The ring of nginx's `hash … consistent`, with the points of Cache::Memcached::Fast.

Source: ngx_http_upstream_hash_module.c. A server of weight w has 160 w points, each the CRC-32 of
host, a zero byte, port, and the point before it. The first point at or after the CRC-32 of the key
owns the key. `weights` are part of the export, so they are here.
"""

import functools
import zlib
from bisect import bisect_left
from collections.abc import Iterable, Sequence

from originmap.domain.tier.cache import Cache

_POINTS = 160
_FACTOR = 10
_LARGE_WEIGHT = 10


def weights(caches: Iterable[Cache]) -> list[int]:
    """The weights in nginx's configuration: multiplied by ten, because the shares of servers with
    160 points are uneven; their spread falls with the root of the number of points. Weights above
    ten are enough by themselves."""
    given = [cache.weight for cache in caches]
    factor = 1 if max(given, default=1) > _LARGE_WEIGHT else _FACTOR
    return [weight * factor for weight in given]


def owner(caches: Sequence[Cache], key: bytes) -> Cache:
    """The cache that nginx assigns a key to."""
    hashes, owners = _ring(tuple(caches))
    index = bisect_left(hashes, zlib.crc32(key))
    return caches[owners[index % len(hashes)]]


def points(caches: Sequence[Cache]) -> int:
    """The number of points, which bounds the work of `owner`."""
    return sum(weights(caches)) * _POINTS


@functools.lru_cache(maxsize=8)
def _ring(caches: tuple[Cache, ...]) -> tuple[list[int], list[int]]:
    """The hashes of all points in order, and the index of the cache of each."""
    ring: dict[int, int] = {}
    for index, (cache, weight) in enumerate(zip(caches, weights(caches), strict=True)):
        host, _, port = cache.endpoint.text.rpartition(":")
        base = zlib.crc32(f"{host}\0{port}".encode())
        point = 0
        for _ in range(weight * _POINTS):
            point = zlib.crc32(point.to_bytes(4, "little"), base)
            ring.setdefault(point, index)
    hashes = sorted(ring)
    return hashes, [ring[point] for point in hashes]

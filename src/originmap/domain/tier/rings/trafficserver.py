"""The consistent_hash policy of Traffic Server 9.2, as in ConsistentHash.cc of its source.

A cache has 1,024 points on the ring for each unit of its weight: SipHash-2-4, with a key of zeros,
of a number from 0, a hyphen and the name of the cache. A key belongs to the first point that is not
before its own hash, or else to the first of all.

The key of hash_key `url` is the URL after remap, such as http://192.0.2.1/a?b, that of `path+query`
is /a?b, and that of `path` is /a.
"""

from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache

from originmap.domain.tier.cache import Cache

_REPLICAS = 1_024
_MASK = (1 << 64) - 1
_START = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)


def owner(caches: Sequence[Cache], key: bytes) -> Cache:
    """The cache that a key is assigned to, of one or more that are available."""
    ring, owners = _ring(tuple((cache.name, cache.weight) for cache in caches))
    index = bisect_left(ring, siphash(key))
    return caches[owners[index % len(ring)]]


def siphash(text: bytes) -> int:
    """SipHash-2-4 with a key of zeros."""
    v = _START
    whole = len(text) & ~7
    last = text[whole:].ljust(7, b"\0") + bytes((len(text) & 255,))
    for start in range(0, whole, 8):
        v = _absorbed(v, int.from_bytes(text[start : start + 8], "little"))
    a, b, c, d = _absorbed(v, int.from_bytes(last, "little"))
    a, b, c, d = _rounds((a, b, c ^ 0xFF, d), 4)
    return a ^ b ^ c ^ d


_State = tuple[int, int, int, int]


def _absorbed(v: _State, word: int) -> _State:
    a, b, c, d = _rounds((v[0], v[1], v[2], v[3] ^ word), 2)
    return a ^ word, b, c, d


def _rounds(v: _State, count: int) -> _State:
    a, b, c, d = v
    for _ in range(count):
        a = (a + b) & _MASK
        c = (c + d) & _MASK
        b = _turned(b, 13) ^ a
        d = _turned(d, 16) ^ c
        a = _turned(a, 32)
        c = (c + b) & _MASK
        a = (a + d) & _MASK
        b = _turned(b, 17) ^ c
        d = _turned(d, 21) ^ a
        c = _turned(c, 32)
    return a, b, c, d


def _turned(word: int, by: int) -> int:
    return ((word << by) | (word >> (64 - by))) & _MASK


def points(caches: Sequence[Cache]) -> int:
    """The work of `owner` in points of other rings, each of which takes a tenth of the time."""
    return 10 * sum(cache.weight for cache in caches) * _REPLICAS


@lru_cache(maxsize=8)
def _ring(members: tuple[tuple[str, int], ...]) -> tuple[Sequence[int], Sequence[int]]:
    """The points in order, and the index of the cache of each."""
    ring = dict[int, int]()
    for index, (name, weight) in enumerate(members):
        for number in range(_REPLICAS * weight):
            ring.setdefault(siphash(f"{number}-{name}".encode()), index)
    points = sorted(ring)
    return points, [ring[point] for point in points]

"""HAProxy's choice among the caches that share URLs: `balance hash` with `hash-type consistent`.

A server has 16 points on a ring of 32 bits for each unit of its weight. They depend on its number
(`id`) alone, so a server that leaves moves no other's points. A URL goes to the server of the
nearest point: src/lb_chash.c of HAProxy 1.3.22 to 2.9, which 3.0 calls `hash-key id`.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import count
from zlib import crc32

from originmap.domain.tier.cache import Cache

_IDS = 1 << 20
"""Numbers that differ in the ring: HAProxy multiplies them by 4,096, in 32 bits."""
_RANGE = 4_096
_POINTS = 16
"""Points for a unit of weight."""
_FACTOR = 25
"""Factor of the weights. A server of weight 1 has 400 points on the ring; with 16 points the shares
of servers are uneven."""
_LARGE_WEIGHT = 10
"""With larger weights the factor would exceed HAProxy's largest weight, 256."""
_WORD = 0xFFFFFFFF

_Ring = tuple[Sequence[int], Sequence[Cache]]


def owner(caches: Sequence[Cache], key: bytes) -> Cache:
    """The cache that HAProxy sends a URL to, among those that share it; `key` has the parts of the
    hash key, one after the other."""
    ring, caches_of = _ring(tuple(caches))
    place = _avalanche(_sdbm(key))
    after = bisect_left(ring, place) % len(ring)
    before = after - 1
    nearer = (place - ring[before]) & _WORD <= (ring[after] - place) & _WORD
    return caches_of[before if nearer else after]


def ids(names: Iterable[str], taken: Iterable[int] = ()) -> Mapping[str, int]:
    """The numbers of servers by name, without those that are taken. They depend on the name alone,
    unless two of the names have the same number: then the second, in order, has another one."""
    found: dict[str, int] = {}
    used = {0, *taken}
    for name in sorted(names):
        tries = (crc32(f"{name}{attempt or ''}".encode()) % _IDS for attempt in count())
        found[name] = next(number for number in tries if number not in used)
        used.add(found[name])
    return found


def factor(caches: Iterable[Cache]) -> int:
    """The factor of the weights of caches that share URLs."""
    return 1 if max(cache.weight for cache in caches) > _LARGE_WEIGHT else _FACTOR


def points(caches: Sequence[Cache]) -> int:
    """The number of points, which bounds the work of `owner`."""
    return sum(cache.weight for cache in caches) * _POINTS * factor(caches)


@lru_cache(maxsize=8)
def _ring(caches: tuple[Cache, ...]) -> _Ring:
    numbers = ids(cache.name for cache in caches)
    times = _POINTS * factor(caches)
    points = sorted(
        (_avalanche(numbers[cache.name] * _RANGE + number), index)
        for index, cache in enumerate(caches)
        for number in range(cache.weight * times)
    )
    return [point for point, _ in points], [caches[index] for _, index in points]


def _sdbm(key: bytes) -> int:
    value = 0
    for byte in key:
        value = (byte + (value << 6) + (value << 16) - value) & _WORD
    return value


def _avalanche(value: int) -> int:
    """Bob Jenkins' hash of 32 bits (burtleburtle.net/bob/hash/integer.html), times a prime."""
    value = (value + 0x7ED55D16 + (value << 12)) & _WORD
    value = value ^ 0xC761C23C ^ (value >> 19)
    value = (value + 0x165667B1 + (value << 5)) & _WORD
    value = ((value + 0xD3A2646C) ^ (value << 9)) & _WORD
    value = (value + 0xFD7046C5 + (value << 3)) & _WORD
    value = value ^ 0xB55A4F09 ^ (value >> 16)
    return value * 3_221_225_473 & _WORD

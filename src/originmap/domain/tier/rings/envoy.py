"""Envoy's choice among the caches that share URLs: MAGLEV with its default table.

Each cache claims places of the table in the order of a permutation that the hash of its name
determines, in turns by weight. A URL goes to the cache in the place of its hash. Envoy's
source/extensions/load_balancing_policies/maglev/maglev_lb.cc; xxHash's specification is at
github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md.
"""

from collections.abc import Sequence
from functools import lru_cache

from originmap.domain.tier.cache import Cache

_SIZE = 65_537
_WORD = 0xFFFFFFFFFFFFFFFF
_PRIMES = (
    0x9E3779B185EBCA87,
    0xC2B2AE3D27D4EB4F,
    0x165667B19E3779F9,
    0x85EBCA77C2B2AE63,
    0x27D4EB2F165667C5,
)
_STRIPE, _LANE, _HALF = 32, 8, 4


def owner(caches: Sequence[Cache], keys: Sequence[bytes]) -> Cache:
    """The cache that Envoy sends a URL to, among those that share it. `keys` are what our hash
    policy reads of the URL: its host, if that is part of the hash key, then the rest, if any."""
    first, *rest = map(xxh64, keys)
    for other in rest:
        first = _rotated(first, 1) ^ other
    return caches[_table(tuple(caches))[first % _SIZE]]


def points(caches: Sequence[Cache]) -> int:
    """The size of the table and the number of caches, which bound the work of `owner`."""
    return _SIZE + len(caches)


class _Claim:
    """The places that a cache claims, in order."""

    def __init__(self, cache: Cache, index: int, share: float) -> None:
        name = cache.name.encode()
        self.index = index
        self.share = share
        self.due = 0.0
        self.skip = xxh64(name, 1) % (_SIZE - 1) + 1
        self.place = xxh64(name) % _SIZE

    def take(self, table: list[int]) -> None:
        """Put the cache into its next place that is free."""
        while table[self.place] >= 0:
            self.place = (self.place + self.skip) % _SIZE
        table[self.place] = self.index


@lru_cache(maxsize=8)
def _table(caches: tuple[Cache, ...]) -> Sequence[int]:
    """The index of the cache in each place."""
    total = sum(cache.weight for cache in caches)
    most = max(cache.weight for cache in caches) / total
    claims = [_Claim(cache, index, cache.weight / total) for index, cache in enumerate(caches)]
    claims.sort(key=lambda claim: caches[claim.index].name)
    table, left, turn = [-1] * _SIZE, _SIZE, 0
    while left:
        turn += 1
        for claim in claims:
            if left and turn * claim.share >= claim.due:
                claim.due += most
                claim.take(table)
                left -= 1
    return table


def xxh64(data: bytes, seed: int = 0) -> int:
    """xxHash of 64 bits."""
    first, second, third, fourth, fifth = _PRIMES
    at = len(data) // _STRIPE * _STRIPE
    value = _stripes(data[:at], seed) if at else seed + fifth
    value = value + len(data) & _WORD
    while len(data) - at >= _LANE:
        value ^= _mixed(0, _number(data, at, _LANE))
        value = _rotated(value, 27) * first + fourth & _WORD
        at += _LANE
    if len(data) - at >= _HALF:
        value ^= _number(data, at, _HALF) * first & _WORD
        value = _rotated(value, 23) * second + third & _WORD
        at += _HALF
    for byte in data[at:]:
        value = _rotated(value ^ (byte * fifth & _WORD), 11) * first & _WORD
    value = (value ^ value >> 33) * second & _WORD
    value = (value ^ value >> 29) * third & _WORD
    return value ^ value >> 32


def _stripes(data: bytes, seed: int) -> int:
    first, second, _, fourth, _ = _PRIMES
    lanes = [seed + first + second & _WORD, seed + second & _WORD, seed, seed - first & _WORD]
    for at in range(0, len(data), _LANE):
        lane = at // _LANE % len(lanes)
        lanes[lane] = _mixed(lanes[lane], _number(data, at, _LANE))
    turns = zip(lanes, (1, 7, 12, 18), strict=True)
    value = sum(_rotated(lane, bits) for lane, bits in turns) & _WORD
    for lane in lanes:
        value = (value ^ _mixed(0, lane)) * first + fourth & _WORD
    return value


def _mixed(lane: int, value: int) -> int:
    first, second, *_ = _PRIMES
    return _rotated(lane + value * second & _WORD, 31) * first & _WORD


def _rotated(value: int, bits: int) -> int:
    return (value << bits | value >> 64 - bits) & _WORD


def _number(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "little")

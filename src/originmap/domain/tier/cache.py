"""The caches of a colo, which share its URLs."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from originmap.domain.tier.endpoint import Endpoint, is_host

MAX_CACHES = 10_000
"""Caches in a topology."""
MAX_CACHES_OF_COLO = 256
MAX_WEIGHT = 256
"""The largest weight that every cache software accepts."""
MAX_TAGS = 16

_NAME = re.compile("[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_TAG = re.compile("[A-Za-z0-9][A-Za-z0-9_.:=-]{0,62}")
_LARGEST_PORT = 65_535


class CacheState(StrEnum):
    """The state of a cache, which decides whether URLs are assigned to it."""

    ACTIVE = "active"
    DRAINING = "draining"  # gets no new URLs; used only if no cache of its colo is active
    DOWN = "down"  # not used


@dataclass(frozen=True, slots=True)
class Cache:
    """One cache of a colo.

    `name` is unique in a topology. `address` is an IP address or a host name. A cache of weight 2
    gets twice as many URLs as one of weight 1. Tags are the operator's own.
    """

    name: str
    address: str
    port: int = 80
    weight: int = 1
    state: CacheState = CacheState.ACTIVE
    tags: tuple[str, ...] = ()

    @property
    def endpoint(self) -> Endpoint:
        """The address with the port."""
        return Endpoint(self.address, self.port)


def serving(caches: Iterable[Cache]) -> tuple[Cache, ...]:
    """The caches that URLs are assigned to, by name: the active ones; if there are none, those
    that are draining."""
    in_order = sorted(caches, key=lambda cache: cache.name)
    active = tuple(cache for cache in in_order if cache.state is CacheState.ACTIVE)
    return active or tuple(cache for cache in in_order if cache.state is CacheState.DRAINING)


def cache_problems(cache: Cache) -> Iterator[str]:
    """Everything that is wrong with a cache by itself."""
    if not _NAME.fullmatch(cache.name):
        yield (
            f"cache {cache.name!r}: a name must be 1 to 63 lower-case letters, digits and hyphens,"
            " without a hyphen at its ends"
        )
    if not is_host(cache.address):
        yield (
            f"cache {cache.name}: address {cache.address!r} is neither an IP address nor a host"
            " name in lower case"
        )
    if not 1 <= cache.port <= _LARGEST_PORT:
        yield f"cache {cache.name}: port must be between 1 and {_LARGEST_PORT}"
    if not 1 <= cache.weight <= MAX_WEIGHT:
        yield f"cache {cache.name}: weight must be between 1 and {MAX_WEIGHT}"
    if len(cache.tags) > MAX_TAGS:
        yield f"cache {cache.name}: {len(cache.tags)} tags; the limit is {MAX_TAGS}"
    for tag in cache.tags:
        if not _TAG.fullmatch(tag):
            yield f"cache {cache.name}: tag {tag!r} must be 1 to 63 letters, digits and _.:=-"

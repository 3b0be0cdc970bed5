"""The caches of a file while it is read, with all its problems.

Readers pass text; this module checks it, so that every format accepts the same values. A value that
a file does not have is None and does not change a cache: an inventory does not know which caches
are draining.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from originmap.domain import number
from originmap.domain.tier.cache import MAX_WEIGHT, Cache, CacheState, cache_problems
from originmap.domain.tier.cache_changes import CacheChange
from originmap.domain.tier.endpoint import Endpoint, parse_endpoint
from originmap.mapfile.errors import Where

MEMBERS = ("colo", "name", "address", "port", "weight", "state", "tags")
_LARGEST_PORT = 65_535


class CacheEntry(NamedTuple):
    """A cache of a file and its position."""

    name: str
    change: CacheChange
    where: Where


class CacheDraft:
    """The content of a file. `skipped` has the names of hosts without a colo, which are no
    caches."""

    def __init__(self) -> None:
        self.entries: dict[str, CacheEntry] = {}
        self.skipped: list[str] = []
        self.problems: list[tuple[Where, str]] = []
        self._endpoints: dict[Endpoint, Where] = {}

    def problem(self, where: Where, text: str) -> None:
        """Record a problem."""
        self.problems.append((where, text))

    def add(self, words: Mapping[str, str], where: Where) -> None:
        """Add a cache with the values of `MEMBERS`, as text; an empty one is not given. The
        address can have a port."""
        given = {name: word for name in MEMBERS if (word := words.get(name, "").strip())}
        missing = [name for name in ("colo", "name", "address") if name not in given]
        if missing:
            self.problem(where, f"a cache needs {', '.join(missing)}")
            return
        name, found = given["name"], len(self.problems)
        host, port = self._address(given, where)
        change = CacheChange(
            colo=given["colo"].upper(),
            address=host,
            port=port,
            weight=self._number("weight", given.get("weight", ""), MAX_WEIGHT, where),
            state=self._state(given.get("state", ""), where),
            tags=tuple(re.split(r"[\s,]+", given["tags"].strip(", "))) if "tags" in given else None,
        )
        for problem in cache_problems(change.of(name)):
            self.problem(where, problem)
        if len(self.problems) == found:
            self._enter(CacheEntry(name, change, where), change.of(name))

    def _enter(self, entry: CacheEntry, cache: Cache) -> None:
        for what, first in (
            (f"name {entry.name}", self.entries.get(entry.name)),
            (f"address {cache.endpoint.text}", self._endpoints.get(cache.endpoint)),
        ):
            if first is not None:
                at = first.where if isinstance(first, CacheEntry) else first
                self.problem(entry.where, f"a second cache with the {what}; the first is at {at}")
        self.entries.setdefault(entry.name, entry)
        self._endpoints.setdefault(cache.endpoint, entry.where)

    def _address(self, given: Mapping[str, str], where: Where) -> tuple[str, int | None]:
        text = given["address"].lower()
        port = self._number("port", given.get("port", ""), _LARGEST_PORT, where)
        endpoint = parse_endpoint(text)
        if endpoint is None:
            return text, port
        if port not in (None, endpoint.port):
            self.problem(where, f"address {text} has another port than {port}")
        return endpoint.host, endpoint.port

    def _number(self, what: str, text: str, most: int, where: Where) -> int | None:
        found = number.whole(text, 1, most) if text else None
        if text and found is None:
            self.problem(where, f"{what} {text!r} is not a whole number from 1 to {most:,}")
        return found

    def _state(self, text: str, where: Where) -> CacheState | None:
        try:
            return CacheState(text.lower()) if text else None
        except ValueError:
            self.problem(where, f"state {text!r} is not one of {', '.join(CacheState)}")
            return None


def name_of(host: str) -> str:
    """A name for a cache after its host: in lower case, with hyphens instead of dots, colons and
    underscores."""
    return re.sub(r"[._:]+", "-", host.lower()).strip("-")

"""Mappings by address alone, for formats that have no zones.

If zones map one address to different regions, the mapping with the highest revision counts, and of
equal ones the last that was added. An entry takes 21 bytes of memory, or 33 of IPv6: some thousand
entries are one sorted byte string, and these are merged at the end.
"""

import struct
from collections.abc import Hashable, Iterable, Iterator
from heapq import merge
from itertools import groupby
from typing import Generic, TypeVar

from originmap.domain.mapping.address import Address

T = TypeVar("T", bound=Hashable)

_AT_ONCE = 4096
"""Entries after which they are sorted."""
_STAMP = struct.Struct(">QII")
"""What follows the address: the revision, a number that grows with each zone, which decides if
revisions are equal, and the number of the value."""


class ByAddress(Generic[T]):
    """Collects a value for each address, and yields them sorted by address."""

    def __init__(self) -> None:
        self.values: list[T] = []
        self._numbers: dict[T, int] = {}
        self._zones = 0
        self._unsorted: list[bytes] = []
        self._sorted: dict[int, list[bytes]] = {}  # by the size of an entry

    def add(self, mappings: Iterable[tuple[Address, int, T]]) -> None:
        """Add a zone: the address, the revision and the value of each mapping."""
        self._zones += 1
        self._unsorted += [
            address + _STAMP.pack(revision, self._zones, self._number(value))
            for address, revision, value in mappings
        ]
        if len(self._unsorted) >= _AT_ONCE:
            self._sort()

    def entries(self) -> Iterator[tuple[bytes, int]]:
        """Each address, once and in order, with the number of its value in `values`."""
        self._sort()
        for size, parts in sorted(self._sorted.items()):
            end = size - _STAMP.size
            entry = b""
            for following in merge(*(_split(part, size) for part in parts)):
                if entry and entry[:end] != following[:end]:
                    yield _read(entry, end)
                entry = following
            yield _read(entry, end)

    def _sort(self) -> None:
        self._unsorted.sort()
        for size, family in groupby(self._unsorted, len):  # IPv4 sorts before IPv6
            self._sorted.setdefault(size, []).append(b"".join(family))
        self._unsorted = []

    def _number(self, value: T) -> int:
        number = self._numbers.get(value)
        if number is None:
            number = self._numbers[value] = len(self.values)
            self.values.append(value)
        return number


def _split(entries: bytes, size: int) -> Iterator[bytes]:
    return (entries[start : start + size] for start in range(0, len(entries), size))


def _read(entry: bytes, end: int) -> tuple[bytes, int]:
    return entry[:end], _STAMP.unpack_from(entry, end)[-1]

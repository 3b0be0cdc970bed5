"""Mappings by address alone, for formats that have no zones.

If zones map one address to different regions, the mapping with the highest revision counts, and of
equal ones the last that was added. An entry takes about 100 bytes of memory.
"""

from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

from originmap.domain.mapping.address import Address

T = TypeVar("T", bound=Hashable)

_REVISION, _NUMBER = 8, 4
_STAMP = _REVISION + _NUMBER
# Buckets by family and the first half of an IPv4 address: sorting one bucket is fast.
_BUCKET = 3


class ByAddress(Generic[T]):
    """Collects a value for each address, and yields them sorted by address."""

    def __init__(self) -> None:
        self.values: list[T] = []
        self._numbers: dict[T, int] = {}
        self._buckets: dict[bytes, list[bytes]] = {}

    def add(self, address: Address, revision: int, value: T) -> None:
        """Add the value of an address's mapping at this revision."""
        number = self._numbers.get(value)
        if number is None:
            number = self._numbers[value] = len(self.values)
            self.values.append(value)
        # One byte string instead of a tuple: a third of the memory, and it sorts as fast.
        entry = b"%b%b%b" % (
            address,
            revision.to_bytes(_REVISION, "big"),
            number.to_bytes(_NUMBER, "big"),
        )
        bucket = self._buckets.get(address[:_BUCKET])
        if bucket is None:
            self._buckets[address[:_BUCKET]] = [entry]
        else:
            bucket.append(entry)

    def entries(self) -> Iterator[tuple[bytes, int]]:
        """Each address, once and in order, with the number of its value in `values`."""
        for key in sorted(self._buckets):
            bucket = self._buckets[key]
            bucket.sort(key=_place)
            for index, entry in enumerate(bucket):
                address = entry[:-_STAMP]
                # The next entry has the same address, and no lower revision.
                if index + 1 < len(bucket) and bucket[index + 1][:-_STAMP] == address:
                    continue
                yield address, int.from_bytes(entry[-_NUMBER:], "big")


def _place(entry: bytes) -> bytes:
    """The address and the revision: the number of a value must not decide."""
    return entry[:-_NUMBER]

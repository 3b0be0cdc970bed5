"""MMDB: a database for MaxMind readers, from an address to vendor, region, mode, primary and
fallbacks (MaxMind DB file format 2.0).

The file has no zones: if zones map one address to different regions, the latest change counts. It
stores an IPv4 address as the IPv6 address in ::/96 with the same number, so IPv6 addresses there
are left out. `aliases` has the other networks that alias IPv4 addresses.

A writer keeps 8 bytes for each IPv4 address and 20 for each IPv6 address.
"""

from collections.abc import Iterator, Mapping
from typing import BinaryIO, NamedTuple

from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Place
from originmap.domain.tier.chain import GENERIC, Chain
from originmap.domain.tier.resolution import Mode
from originmap.export.by_address import ByAddress
from originmap.export.format import AddressWriter, Chunk
from originmap.export.mmdb.data import encoded
from originmap.export.mmdb.database import Database
from originmap.export.mmdb.space import Space
from originmap.export.node import NO_PLACE, Node, Row, ZonePart

_V4 = b"\x04"
_LOW = b"\x06" + b"\0" * 12
_STEP = 1000
"""Addresses in a step."""


class _Value(NamedTuple):
    place: Place
    mode: Mode
    upper_tiers: Chain
    hub: str | None
    pool: Chain


class MMDB(AddressWriter):
    """Writes the database."""

    def __init__(self, node: Node) -> None:
        self._pool = node.pool
        self._rows: ByAddress[bytes] = ByAddress()
        self._encoded: dict[_Value, bytes] = {}
        self._values: list[bytes] = []
        self._newest: dict[str, int] = {}
        self._database = Database()

    def zone(self, part: ZonePart) -> Iterator[bytes]:
        self._rows.add((row.address, row.mapping.revision, self._value(row)) for row in part.rows)
        self.note(part)
        yield b""

    def end(self) -> Iterator[bytes]:
        v4, v6 = self._database.v4, self._database.v6
        entries = {v4: bytearray(), v6: bytearray()}
        for count, (address, value) in enumerate(self._rows.entries()):
            if space := self._space(address):
                entries[space] += space.family.entry.pack(address[1:], value)
            if count % _STEP == 0:
                yield b""
        self._values = self._rows.values
        self._rows = ByAddress()
        for space, raw in entries.items():
            for _ in space.load(bytes(raw)):
                yield b""
        for chunk in self._database.chunks(self._values, self._time()):
            assert isinstance(chunk, bytes)
            yield chunk

    def note(self, part: ZonePart) -> None:
        times = (row.mapping.modified_on for row in part.rows)
        self._newest[part.id] = max(times, default=0)

    def gone(self, zone_id: str) -> None:
        self._newest.pop(zone_id, None)

    def update(self, rows: Mapping[Address, Row | None], last: BinaryIO) -> Iterator[Chunk]:
        values = {self._database.v4: dict[bytes, int | None](), self._database.v6: {}}
        for address, row in rows.items():
            if space := self._space(address):
                values[space][address[1:]] = None if row is None else self._number(row)
        for space, changed in values.items():
            for _ in space.change(changed):
                yield b""
        yield from self._database.chunks(self._values, self._time(), last)

    def _space(self, address: bytes) -> Space | None:
        """The addresses that this one belongs to, if it can be in the file."""
        if address[:1] == _V4:
            return self._database.v4
        return None if address.startswith(_LOW) else self._database.v6

    def _number(self, row: Row) -> int:
        value = self._value(row)
        if value not in self._values:
            self._values.append(value)
        return self._values.index(value)

    def _value(self, row: Row) -> bytes:
        """The encoded value of a row."""
        pool = self._pool if row.chain == (GENERIC,) else ()
        value = _Value(row.place, row.mode, row.upper_tiers, row.hub, pool)
        found = self._encoded.get(value)
        if found is None:
            found = self._encoded[value] = _encode(value)
        return found

    def _time(self) -> int:
        """The time of the newest mapping in seconds."""
        return max(self._newest.values(), default=0) // 1_000_000


def _encode(value: _Value) -> bytes:
    members: dict[str, object] = {
        "mode": value.mode.value,
        "fallbacks": list(value.upper_tiers[1:]),
    }
    if value.place is not NO_PLACE:
        members = {**value.place._asdict(), **members}
    if value.upper_tiers:
        members["primary"] = value.upper_tiers[0]
    if value.hub:
        members["regional_hub"] = value.hub
    if value.pool:
        members["pool"] = list(value.pool)
    return encoded(members)

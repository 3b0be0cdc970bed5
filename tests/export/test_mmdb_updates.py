"""MMDB after changes: the next version of the file equals a new one, whatever was before."""

import io
import random
from collections.abc import Iterable, Mapping
from pathlib import Path

import maxminddb
from hypothesis import given, settings
from hypothesis import strategies as st

from originmap.domain.mapping.address import Address, text
from originmap.domain.mapping.mapping import Mapping as Stored
from originmap.domain.mapping.mapping import Place
from originmap.export.format import Span, written
from originmap.export.mmdb import MMDB
from originmap.export.node import Row, ZonePart
from tests.builders import ip
from tests.export.samples import FRANKFURT, NOWHERE, TOKYO, VIRGINIA, ZONES, node

NODE = node("SIN")
Change = Mapping[Address, Place | None]


class Versions:
    """A file and the mappings of zones, which change together."""

    def __init__(self) -> None:
        self._zones: dict[str, dict[Address, Stored]] = {zone.id: {} for zone in NODE.zones}
        self._revision = 0
        self._writer = MMDB(NODE)
        self.file = b"".join(written(self._writer, self.parts().values()))
        self.reused = 0  # bytes of the last version in this one

    def change(self, zone: str, change: Change) -> None:
        """Map addresses of a zone, or remove their mappings."""
        mappings = self._zones[zone]
        for address, place in change.items():
            self._revision += 1
            mappings.pop(address, None)
            if place is not None:
                modified_on = 1_700_000_000_000_000 + self._revision * 1_000_000
                mappings[address] = Stored(address, place, modified_on, self._revision)
        self._writer.note(self.parts()[zone])
        self._update(change)

    def remove(self, zone: str) -> None:
        """Remove a zone with its mappings."""
        addresses = list(self._zones[zone])
        self._zones[zone] = {}
        self._writer.gone(zone)
        self._update(addresses)

    def _update(self, addresses: Iterable[Address]) -> None:
        rows = {address: self._row(address) for address in addresses}
        out, self.reused = bytearray(), 0
        for chunk in self._writer.update(rows, io.BytesIO(self.file)):
            if isinstance(chunk, Span):
                out += self.file[chunk.start : chunk.end]
                self.reused += chunk.end - chunk.start
            else:
                out += chunk
        self.file = bytes(out)

    def complete(self) -> bytes:
        """The whole file, written anew."""
        return b"".join(written(MMDB(NODE), self.parts().values()))

    def parts(self) -> dict[str, ZonePart]:
        return {
            zone.id: NODE.part(zone, sorted(self._zones[zone.id].values())) for zone in NODE.zones
        }

    def _row(self, address: Address) -> Row | None:
        found = [
            (mappings[address], zone)
            for zone, mappings in zip(NODE.zones, self._zones.values(), strict=True)
            if address in mappings
        ]
        if not found:
            return None
        latest, zone = max(found, key=lambda each: each[0].revision)
        return NODE.part(zone, [latest]).rows[0]


def nearby(start: str, count: int, step: int = 1) -> list[Address]:
    """An address, and those that follow it at some distance."""
    first = ip(start)
    number, size = int.from_bytes(first[1:], "big"), len(first) - 1
    return [Address(first[:1] + (number + n * step).to_bytes(size, "big")) for n in range(count)]


STARTS = st.sampled_from([
    "10.0.0.0", "10.0.1.0", "10.0.3.200", "192.0.2.1", "203.0.113.255",
    "2001:db8::", "2001:db8::ff", "2001:db8:1::1", "::5", "2a00::1",
    "2002:c000:201::1", "2002:a00:100::", "2001:0:c000:200::1",  # inside aliases of IPv4
])  # fmt: skip
CHANGES = st.builds(
    lambda zone, addresses, place: (zone, dict.fromkeys(addresses, place)),
    st.sampled_from([ZONES[0].id, ZONES[3].id]),
    st.builds(nearby, STARTS, st.sampled_from([1, 1, 1, 3, 700]), st.sampled_from([1, 5])),
    st.sampled_from([VIRGINIA, FRANKFURT, TOKYO, NOWHERE, None, None]),
)


@settings(max_examples=60)
@given(st.lists(CHANGES, max_size=8))
def test_any_changes_give_the_file_that_a_new_writer_writes(
    changes: list[tuple[str, Change]],
) -> None:
    versions = Versions()
    for zone, change in changes:
        versions.change(zone, change)
        assert versions.file == versions.complete()


def test_nothing_is_found_after_the_last_mapping_is_removed() -> None:
    versions = Versions()
    empty = versions.file
    addresses = [*nearby("192.0.2.1", 3), *nearby("2001:db8::", 3)]
    versions.change(ZONES[0].id, dict.fromkeys(addresses, TOKYO))
    versions.change(ZONES[0].id, dict.fromkeys(addresses))
    assert versions.file == empty


def test_a_zone_is_removed() -> None:
    versions = Versions()
    versions.change(ZONES[0].id, dict.fromkeys(nearby("192.0.2.1", 3), TOKYO))
    before = versions.file
    versions.change(ZONES[3].id, dict.fromkeys(nearby("192.0.2.3", 3), VIRGINIA))
    versions.remove(ZONES[3].id)
    assert versions.file == before


def scattered(count: int) -> list[Address]:
    """Addresses all over the address space, one in five IPv6."""
    chance = random.Random(21)
    v4 = [Address(b"\x04" + chance.randbytes(4)) for _ in range(count - count // 5)]
    v6 = [Address(b"\x06\x2a" + chance.randbytes(15)) for _ in range(count // 5)]
    return [*v4, *v6]


def test_scattered_addresses_one_after_another() -> None:
    versions = Versions()
    first, *others = scattered(3_000)
    versions.change(ZONES[0].id, dict.fromkeys(others, VIRGINIA))
    for address in (first, *others[:20]):
        versions.change(ZONES[0].id, {address: None})
        versions.change(ZONES[3].id, {address: TOKYO})
    assert versions.file == versions.complete()


def test_a_change_leaves_most_of_the_file_as_it_is() -> None:
    versions = Versions()
    addresses = scattered(10_000)
    versions.change(ZONES[0].id, dict.fromkeys(addresses, VIRGINIA))
    versions.change(ZONES[0].id, {addresses[0]: TOKYO})
    versions.change(ZONES[0].id, {addresses[1]: TOKYO})
    assert versions.reused > len(versions.file) * 0.9


def test_readers_find_every_mapping_after_changes(tmp_path: Path) -> None:
    versions = Versions()
    addresses = [*scattered(3_000), *nearby("10.0.0.0", 1_000)]
    places = dict(zip(addresses, [VIRGINIA, TOKYO, FRANKFURT] * 2_000, strict=False))
    versions.change(ZONES[0].id, places)
    for address in addresses[:100]:
        places[address] = FRANKFURT
        versions.change(ZONES[0].id, {address: FRANKFURT})
    file = tmp_path / "originmap.mmdb"
    file.write_bytes(versions.file)
    for mode in (maxminddb.MODE_MMAP_EXT, maxminddb.MODE_MMAP):
        with maxminddb.open_database(file, mode) as database:
            found = {address: database.get(text(address)) for address in places}
            assert {
                address: Place(r["vendor"], r["region"]) for address, r in found.items()
            } == places
            assert database.get("::ffff:10.0.3.231") == database.get("10.0.3.231")
            assert database.get("10.0.3.232") is None

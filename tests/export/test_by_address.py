"""Mappings of all zones in the order of their addresses."""

from hypothesis import given
from hypothesis import strategies as st

from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.address import Address
from originmap.export.by_address import ByAddress

_ADDRESSES = [
    addresses.parse(text) for text in ("192.0.2.1", "192.0.2.2", "0.0.0.1", "::2", "2001:db8::1")
]
_ROWS = st.tuples(st.sampled_from(_ADDRESSES), st.integers(1, 3), st.sampled_from("abc"))
_ZONES = st.lists(st.lists(_ROWS, unique_by=lambda row: row[0]))


def _entries(zones: list[list[tuple[Address, int, str]]]) -> list[tuple[bytes, str]]:
    held = ByAddress[str]()
    for zone in zones:
        held.add(zone)
    return [(address, held.values[number]) for address, number in held.entries()]


@given(_ZONES)
def test_the_newest_mapping_of_each_address_counts(
    zones: list[list[tuple[Address, int, str]]],
) -> None:
    newest: dict[Address, tuple[int, str]] = {}
    for address, revision, value in (row for zone in zones for row in zone):
        if address not in newest or revision >= newest[address][0]:
            newest[address] = revision, value
    expected = [(address, newest[address][1]) for address in sorted(newest)]
    assert _entries(zones) == expected


def test_of_equal_revisions_the_last_zone_counts() -> None:
    zones = [[(_ADDRESSES[0], 5, "z")], [(_ADDRESSES[0], 5, "a")], [(_ADDRESSES[0], 4, "b")]]
    assert _entries(zones) == [(_ADDRESSES[0], "a")]


def test_nothing_is_yielded_without_mappings() -> None:
    assert _entries([]) == []
    assert _entries([[]]) == []


def test_many_mappings_stay_in_order() -> None:
    numbers = range(9_000)
    rows = [(Address(b"\x04" + number.to_bytes(4, "big")), 1, "a") for number in numbers]
    zones = [rows[start::3] for start in range(3)]
    assert [address for address, _ in _entries(zones)] == [address for address, _, _ in rows]

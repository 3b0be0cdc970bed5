"""The table of ranges: it finds the longest prefix, and rejects contradictions."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from originmap.domain.detection import prefix
from originmap.domain.detection.prefix import Prefix
from originmap.domain.detection.ranges import Publication, Range, RangeConflict, RangeTable, merge
from originmap.domain.mapping.address import Address
from tests.builders import ip

DATE = datetime.datetime(2026, 11, 1, tzinfo=datetime.UTC)

# A corner of each family, so that random prefixes nest and are adjacent.
CORNERS = {4: int.from_bytes(ip("10.0.0.0")), 6: int.from_bytes(ip("2001:db8::"))}


def row(text: str, region: str | None = None, *services: str, vendor: str = "aws") -> Range:
    return Range(prefix.parse(text), vendor, region, services or ("EC2",))


def table(*rows: Range) -> RangeTable:
    vendors = dict.fromkeys(each.vendor for each in rows)
    return RangeTable(
        Publication(vendor, DATE, merge(each for each in rows if each.vendor == vendor))
        for vendor in vendors
    )


def corner_prefixes(family: int) -> st.SearchStrategy[Prefix]:
    width = 32 if family == 4 else 128

    def make(first: int, free: int) -> Prefix:
        number = CORNERS[family] + (first >> free << free)
        return Prefix(Address(number.to_bytes(width // 8 + 1)), width - free)

    return st.builds(make, st.integers(0, 255), st.integers(0, 8))


PREFIXES = st.one_of(corner_prefixes(4), corner_prefixes(6))


@given(st.sets(PREFIXES, max_size=40))
def test_the_longest_prefix_is_found_for_every_address(prefixes: set[Prefix]) -> None:
    rows = [Range(each, "aws", None, (prefix.of(*each),)) for each in prefixes]
    made = table(*rows)
    for family, corner in CORNERS.items():
        for number in range(corner - 2, corner + 258):
            address = Address(number.to_bytes(5 if family == 4 else 17))
            around = [p for p in prefixes if prefix.number(p.start) <= number < prefix.after(p)]
            listing = made.find(address)
            if not around:
                assert listing is None
                continue
            longest = max(around, key=lambda p: p.length)
            assert listing is not None
            assert listing.services == (prefix.of(*longest),)
            assert prefix.of(address, listing.length) == prefix.of(*longest)


@given(st.lists(PREFIXES, unique=True, max_size=20), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(prefixes, random) -> None:  # type: ignore[no-untyped-def]
    rows = [Range(each, "aws", None, (prefix.of(*each),)) for each in prefixes]
    shuffled = random.sample(rows, len(rows))
    one, other = table(*rows), table(*shuffled)
    assert merge(rows) == merge(shuffled)
    for each in prefixes:
        assert one.find(each.start) == other.find(each.start)


def test_both_ends_of_the_address_space_are_found() -> None:
    made = table(row("255.255.255.0/24", "a"), row("fd00::/16", "b"), row("0.0.0.1/32", "c"))
    found = [made.find(ip(t)) for t in ("255.255.255.254", "fd00:ffff::", "0.0.0.1", "0.0.0.2")]
    assert [listing and listing.region for listing in found] == ["a", "b", "c", None]
    assert made.find(ip("::2")) is None


def test_rows_of_one_prefix_are_one_range_with_all_services() -> None:
    (found,) = merge([row("192.0.2.0/24", "a", "S3"), row("192.0.2.0/24", "a", "EC2", "S3")])
    assert found.services == ("EC2", "S3")


def test_two_spellings_of_one_prefix_are_one_prefix() -> None:
    assert len(merge([row("2001:DB8::/32"), row("2001:db8:0::/32")])) == 1


def test_equal_neighbours_are_one_interval() -> None:
    made = table(*(row(f"10.0.{n}.0/24", "a") for n in range(256)))
    assert len(made) == 3
    listing = made.find(ip("10.0.77.9"))
    assert listing is not None
    assert prefix.of(ip("10.0.77.9"), listing.length) == "10.0.77.0/24"


def test_a_range_with_a_region_can_be_inside_one_without() -> None:
    made = table(row("10.0.0.0/16"), row("10.0.1.0/24", "a"), row("10.0.1.8/32"))
    found = [made.find(ip(text)) for text in ("10.0.0.1", "10.0.1.1", "10.0.1.8", "10.0.2.0")]
    assert [listing and listing.region for listing in found] == [None, "a", None, None]


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (
            [row("10.0.0.0/16", "a"), row("10.0.1.0/24", "b")],
            "10.0.1.0/24 of aws in b contradicts 10.0.0.0/16 of aws in a",
        ),
        (
            [row("10.0.0.0/16", "a"), row("10.0.0.0/16", "b")],
            "10.0.0.0/16 of aws in b contradicts 10.0.0.0/16 of aws in a",
        ),
        (
            [row("10.0.0.0/16", "a"), row("10.0.0.0/16", "a", vendor="gcp")],
            "10.0.0.0/16 of gcp in a contradicts 10.0.0.0/16 of aws in a",
        ),
        (
            [row("10.0.0.0/16"), row("10.0.1.0/24", vendor="gcp")],
            "10.0.1.0/24 of gcp in no region contradicts 10.0.0.0/16 of aws in no region",
        ),
    ],
)
def test_contradictory_ranges_are_rejected(rows: list[Range], text: str) -> None:
    with pytest.raises(RangeConflict) as caught:
        table(*rows)
    assert str(caught.value) == text


def test_a_table_knows_its_vendors_and_regions() -> None:
    made = table(row("10.0.0.0/16", "a"), row("2001:db8::/32", "b", vendor="gcp"))
    assert made.vendors == ("aws", "gcp")
    assert made.published("aws") == DATE
    assert made.published("oci") is None
    assert made.covers("aws", "a", 4)
    assert not made.covers("aws", "a", 6)
    assert not made.covers("aws", "b", 6)


def test_an_empty_table_finds_nothing() -> None:
    empty = RangeTable()
    assert empty.find(ip("192.0.2.1")) is None
    assert empty.vendors == ()


@given(st.sets(PREFIXES, min_size=1, max_size=40))
def test_the_number_of_intervals_is_bounded_by_the_ends(prefixes: set[Prefix]) -> None:
    made = table(*(Range(each, "aws", None, (prefix.of(*each),)) for each in prefixes))
    ends = sorted({n for p in prefixes for n in (prefix.number(p.start), prefix.after(p))})
    assert len(made) <= len(ends) + 1

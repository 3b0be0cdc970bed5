"""Own regions: their checks, the rules that change them, and the merged catalogue."""

from dataclasses import replace
from typing import Any

import pytest

from originmap import data
from originmap.domain.history.record import Key, Kind, RecordDecide, Value
from originmap.domain.mapping.mapping import Place
from originmap.domain.mapping.own_region_errors import InvalidCatalogue
from originmap.domain.mapping.own_region_rules import change_regions, set_regions
from originmap.domain.mapping.own_regions import (
    MAX_OWN_REGIONS,
    OwnRegion,
    OwnRegions,
    check,
    merged,
)

FRA = OwnRegion("acme", "fra-1", "Frankfurt", "DE", 50.1155, 8.6842)
SYD = OwnRegion("acme", "syd-1", "Sydney", "AU", -33.8688, 151.2093)
KEY = Key(Kind.CATALOGUE, "catalogue")
PACKAGED = data.catalogue()


def run(decide: RecordDecide[OwnRegions], *stored: OwnRegion) -> tuple[int, OwnRegions]:
    """The number of changes, and the regions afterwards."""
    records: dict[Key, Value] = {KEY: OwnRegions(stored)} if stored else {}
    decision = decide(records)
    return len(decision.changes), decision.outcome


@pytest.mark.parametrize(
    "wrong",
    [
        {"vendor": ""}, {"vendor": "Acme"}, {"vendor": "-a"}, {"vendor": "a" * 64},
        {"region": "fra_1"}, {"region": "é"}, {"country": "de"}, {"country": "DEU"},
        {"city": "a\nb"}, {"city": "a" * 101}, {"latitude": 90.1}, {"longitude": -180.5},
        {"latitude": float("nan")}, {"longitude": float("inf")},
    ],
)  # fmt: skip
def test_an_invalid_region_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidCatalogue):
        check([replace(FRA, **wrong)])


def test_all_problems_are_reported_together() -> None:
    with pytest.raises(InvalidCatalogue) as caught:
        check([FRA, FRA, replace(SYD, vendor="Acme", latitude=91.0)])
    assert len(caught.value.problems) == 3
    assert "region 1 (acme fra-1): the region is there twice" in caught.value.problems


def test_only_the_first_100_problems_are_reported() -> None:
    with pytest.raises(InvalidCatalogue) as caught:
        check([replace(FRA, vendor=f"Acme{n}") for n in range(200)])
    assert len(caught.value.problems) == 100
    missing = [Place("acme", f"x-{n}") for n in range(200)]
    with pytest.raises(InvalidCatalogue) as caught:
        run(change_regions([], missing, PACKAGED), FRA)
    assert len(caught.value.problems) == 100


def test_there_is_a_limit() -> None:
    many = [replace(FRA, region=f"r{n}") for n in range(MAX_OWN_REGIONS + 1)]
    assert len(check(many[1:]).regions) == MAX_OWN_REGIONS
    with pytest.raises(InvalidCatalogue, match="the limit is 2,000"):
        check(many)


def test_regions_are_sorted() -> None:
    assert check([SYD, FRA]) == check([FRA, SYD]) == OwnRegions((FRA, SYD))


def test_the_same_regions_are_not_recorded_again() -> None:
    assert run(set_regions([SYD, FRA], PACKAGED)) == (1, OwnRegions((FRA, SYD)))
    assert run(set_regions([SYD, FRA], PACKAGED), FRA, SYD) == (0, OwnRegions((FRA, SYD)))
    assert run(set_regions([], PACKAGED)) == (0, OwnRegions())
    assert run(set_regions([], PACKAGED), FRA) == (1, OwnRegions())


def test_regions_are_added_replaced_and_removed() -> None:
    moved = replace(FRA, latitude=50.0)
    assert run(change_regions([SYD], [], PACKAGED), FRA)[1].regions == (FRA, SYD)
    assert run(change_regions([moved], [], PACKAGED), FRA, SYD)[1].regions == (moved, SYD)
    assert run(change_regions([], [FRA.place], PACKAGED), FRA, SYD)[1].regions == (SYD,)
    with pytest.raises(InvalidCatalogue, match="no own region acme ber-1"):
        run(change_regions([], [Place("acme", "ber-1")], PACKAGED), FRA)


def test_a_packaged_region_cannot_be_replaced_but_others_of_its_vendor_can_be_added() -> None:
    ashburn, new = replace(FRA, vendor="aws", region="us-east-1"), replace(FRA, vendor="aws")
    with pytest.raises(InvalidCatalogue, match="aws us-east-1 is in the packaged catalogue"):
        run(set_regions([ashburn], PACKAGED))
    assert run(set_regions([new], PACKAGED))[1].regions == (new,)


def test_a_region_that_a_release_packages_later_is_the_packaged_one() -> None:
    ashburn = replace(FRA, vendor="aws", region="us-east-1")
    assert run(change_regions([SYD], [], PACKAGED), ashburn)[1].regions == (SYD, ashburn)
    catalogue = merged(PACKAGED, OwnRegions((SYD, ashburn)))
    assert catalogue.find("aws", "us-east-1") == PACKAGED.find("aws", "us-east-1")
    found = catalogue.find("acme", "syd-1")
    assert found is not None
    assert (found.title, found.latitude, found.longitude) == ("Sydney", -33.8688, 151.2093)
    assert catalogue.vendors == ("acme", "aws", "azure", "gcp", "oci")
    assert merged(PACKAGED, OwnRegions()) is PACKAGED

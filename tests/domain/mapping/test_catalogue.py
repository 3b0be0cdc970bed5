"""The catalogue: its rules on small examples, then the packaged data.

Vendors sometimes publish wrong coordinates (a lost minus sign, a point in the sea), so each
packaged region is checked against its country, its own name and its neighbours.
"""

import unicodedata
from collections import Counter
from importlib.resources import files
from pathlib import Path

import pytest

from originmap.data import catalogue, hubs
from originmap.domain.mapping.catalogue import Catalogue, Region, RegionStatus
from originmap.domain.mapping.mapping import Place
from originmap.domain.tier.tier import distance_km
from originmap.domain.tier.topology import Colo
from tests.builders import upper_tiers

PAGE = Path(__file__).parents[3] / "docs" / "catalogue.md"

COUNTS = {
    "aws": {"public": 36, "gov": 2, "china": 2, "sovereign": 1},
    "azure": {"public": 59, "gov": 5, "china": 6, "sovereign": 0},
    "gcp": {"public": 43, "gov": 0, "china": 0, "sovereign": 0},
    "oci": {"public": 46, "gov": 8, "china": 0, "sovereign": 2},
}

# South, north, west, east, in degrees, without remote islands that have no region.
COUNTRY_BOXES = {
    "AE": (22.6, 26.1, 51.5, 56.4),
    "AR": (-55.1, -21.8, -73.6, -53.6),
    "AT": (46.4, 49.1, 9.5, 17.2),
    "AU": (-43.7, -10.6, 113.1, 153.7),
    "BE": (49.5, 51.6, 2.5, 6.5),
    "BG": (41.2, 44.3, 22.3, 28.7),
    "BH": (25.5, 26.4, 50.3, 50.9),
    "BR": (-33.8, 5.3, -74.0, -34.7),
    "CA": (41.7, 83.2, -141.0, -52.6),
    "CH": (45.8, 47.9, 5.9, 10.5),
    "CL": (-56.0, -17.5, -75.8, -66.4),
    "CN": (18.1, 53.6, 73.5, 134.8),
    "CO": (-4.3, 12.6, -79.1, -66.8),
    "CZ": (48.5, 51.1, 12.0, 18.9),
    "DE": (47.2, 55.1, 5.8, 15.1),
    "DK": (54.5, 57.8, 8.0, 15.2),
    "ES": (35.9, 43.9, -9.4, 4.4),
    "FI": (59.7, 70.1, 20.5, 31.6),
    "FR": (41.3, 51.1, -5.2, 9.6),
    "GB": (49.8, 60.9, -8.7, 1.8),
    "HK": (22.1, 22.6, 113.8, 114.5),
    "ID": (-11.1, 6.1, 95.0, 141.1),
    "IE": (51.4, 55.4, -10.7, -5.9),
    "IL": (29.4, 33.4, 34.2, 35.9),
    "IN": (6.7, 35.6, 68.1, 97.5),
    "IT": (35.4, 47.1, 6.6, 18.6),
    "JP": (24.0, 45.6, 122.9, 145.9),
    "KE": (-4.8, 5.1, 33.9, 41.9),
    "KR": (33.1, 38.7, 124.6, 131.0),
    "KW": (28.5, 30.1, 46.5, 48.5),
    "MA": (27.6, 36.0, -13.2, -1.0),
    "MX": (14.5, 32.8, -117.2, -86.7),
    "MY": (0.8, 7.4, 99.6, 119.3),
    "NG": (4.2, 13.9, 2.6, 14.7),
    "NL": (50.7, 53.6, 3.3, 7.3),
    "NO": (57.9, 71.2, 4.5, 31.2),
    "NZ": (-47.3, -34.4, 166.4, 178.6),
    "PE": (-18.4, 0.0, -81.4, -68.6),
    "PH": (4.6, 21.2, 116.9, 126.7),
    "PL": (49.0, 54.9, 14.1, 24.2),
    "PT": (36.9, 42.2, -9.6, -6.1),
    "QA": (24.4, 26.2, 50.7, 51.7),
    "RO": (43.6, 48.3, 20.2, 29.8),
    "RS": (42.2, 46.2, 18.8, 23.1),
    "SA": (16.3, 32.2, 34.5, 55.7),
    "SE": (55.3, 69.1, 11.1, 24.2),
    "SG": (1.15, 1.48, 103.6, 104.1),
    "TH": (5.6, 20.5, 97.3, 105.7),
    "TR": (35.8, 42.2, 25.6, 44.9),
    "TW": (21.8, 25.4, 119.3, 122.1),
    "US": (24.4, 49.4, -125.0, -66.9),
    "VN": (8.3, 23.4, 102.1, 109.5),
    "ZA": (-34.9, -22.1, 16.4, 32.9),
}

# The city that we chose for titles of AWS, Google or Oracle without a city.
CITY_WITHOUT_NAME = {
    "AWS GovCloud (US-East)": "Columbus",
    "AWS GovCloud (US-West)": "Boardman",
    "AWS European Sovereign Cloud (Germany)": "Potsdam",
    "Asia Pacific (Malaysia)": "Kuala Lumpur",
    "Asia Pacific (New Zealand)": "Auckland",
    "Asia Pacific (Thailand)": "Bangkok",
    "Belgium": "Saint-Ghislain",
    "Canada (Central)": "Montreal",
    "China (Ningxia)": "Zhongwei",
    "Europe (Ireland)": "Dublin",
    "Europe (Spain)": "Zaragoza",
    "Iowa, USA": "Council Bluffs",
    "Mexico (Central)": "Santiago de Queretaro",
    "Middle East (Bahrain)": "Manama",
    "Middle East (Saudi Arabia)": "Riyadh",
    "Middle East (UAE)": "Dubai",
    "Netherlands": "Delfzijl",
    "Northern Virginia, USA": "Ashburn",
    "Oregon, USA": "The Dalles",
    "Serbia Central (Jovanovac)": "Kragujevac",
    "South America (Chile)": "Santiago",
    "South Carolina, USA": "Moncks Corner",
    "São Paulo, Brazil": "Osasco",
    "Taiwan, Republic of China": "Changhua",
    "US East (N. Virginia)": "Ashburn",
    "US East (Ohio)": "Columbus",
    "US West (N. California)": "San Jose",
    "US West (Oregon)": "Boardman",
}

# Regions of different vendors in one city.
TWINS = (
    ("Amsterdam", "azure westeurope", "oci eu-amsterdam-1"),
    ("Ashburn", "aws us-east-1", "azure eastus", "gcp us-east4", "oci us-ashburn-1"),
    ("Cape Town", "aws af-south-1", "azure southafricawest"),
    ("Chicago", "azure northcentralus", "oci us-chicago-1"),
    ("Dublin", "aws eu-west-1", "azure northeurope"),
    ("Frankfurt am Main", "aws eu-central-1", "azure germanywestcentral", "gcp europe-west3"),
    ("Hong Kong", "aws ap-east-1", "azure eastasia", "gcp asia-east2"),
    ("Jakarta", "aws ap-southeast-3", "azure indonesiacentral", "gcp asia-southeast2"),
    ("Johannesburg", "azure southafricanorth", "gcp africa-south1", "oci af-johannesburg-1"),
    ("London", "aws eu-west-2", "azure uksouth", "gcp europe-west2", "oci uk-london-1"),
    ("Madrid", "azure spaincentral", "gcp europe-southwest1", "oci eu-madrid-1"),
    ("Melbourne", "aws ap-southeast-4", "azure australiasoutheast", "gcp australia-southeast2"),
    ("Milan", "aws eu-south-1", "azure italynorth", "gcp europe-west8", "oci eu-milan-1"),
    ("Mumbai", "aws ap-south-1", "azure westindia", "gcp asia-south1", "oci ap-mumbai-1"),
    ("Osaka", "aws ap-northeast-3", "azure japanwest", "gcp asia-northeast2", "oci ap-osaka-1"),
    ("Paris", "aws eu-west-3", "azure francecentral", "gcp europe-west9", "oci eu-paris-1"),
    ("Phoenix", "azure westus3", "azure usgovarizona", "oci us-phoenix-1"),
    ("Seoul", "aws ap-northeast-2", "azure koreacentral", "gcp asia-northeast3"),
    ("Singapore", "aws ap-southeast-1", "azure southeastasia", "gcp asia-southeast1"),
    ("Sydney", "aws ap-southeast-2", "azure australiaeast", "gcp australia-southeast1"),
    ("Tokyo", "aws ap-northeast-1", "azure japaneast", "gcp asia-northeast1", "oci ap-tokyo-1"),
    ("Toronto", "azure canadacentral", "gcp northamerica-northeast2", "oci ca-toronto-1"),
    ("Zurich", "aws eu-central-2", "azure switzerlandnorth", "gcp europe-west6"),
)


def region(vendor: str, name: str) -> Region:
    return Region(vendor, name, name, "Town", "US", 40.0, -100.0, RegionStatus.PUBLIC, "a test")


def packaged() -> list[Region | Colo]:
    return [*catalogue().regions(), *hubs()]


def plain(text: str) -> str:
    """The text without accents, in the spelling of places.csv."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def test_a_catalogue_sorts_vendors_and_regions() -> None:
    b2, b1, a1 = region("b", "b2"), region("b", "b1"), region("a", "a1")
    sorted_regions = Catalogue([b2, a1, b1])
    assert sorted_regions.vendors == ("a", "b")
    assert sorted_regions.regions() == (a1, b1, b2)
    assert sorted_regions.regions("b") == (b1, b2)
    assert sorted_regions.regions("c") == ()


def test_an_empty_catalogue_has_no_regions() -> None:
    empty = Catalogue([])
    assert (empty.vendors, empty.regions()) == ((), ())
    assert not empty.knows("aws", "us-east-1")
    assert empty.place("aws", "us-east-1") is None


def test_a_region_is_found_by_vendor_and_name_together() -> None:
    one = region("a", "one")
    found_in = Catalogue([one, region("b", "two")])
    assert found_in.find("a", "one") is one
    assert found_in.find("a", "two") is None
    assert found_in.knows("a", "one")
    assert not found_in.knows("a", "two")
    assert found_in.place("a", "one") == Place("a", "one")
    assert {found_in.place("a", "two"), found_in.place("a", None)} == {None}


def test_a_region_cannot_be_listed_twice() -> None:
    with pytest.raises(ValueError, match="twice"):
        Catalogue([region("a", "one"), region("a", "one")])


@pytest.mark.proves("D-11")
@pytest.mark.parametrize(
    ("vendor", "name"),
    [("AWS", "us-east-1"), ("aws", "US-EAST-1"), ("aws", " us-east-1"), ("gcp", "us-east-1")],
)
def test_only_the_exact_spelling_is_found(vendor: str, name: str) -> None:
    assert catalogue().knows("aws", "us-east-1")
    assert not catalogue().knows(vendor, name)


def test_every_vendor_has_the_expected_number_of_regions_by_status() -> None:
    counted = Counter((region.vendor, region.status.value) for region in catalogue().regions())
    for vendor, statuses in COUNTS.items():
        assert {status: counted[vendor, status] for status in statuses} == statuses
    assert len(catalogue().regions()) == 210
    assert catalogue().vendors == ("aws", "azure", "gcp", "oci")


def test_no_vendor_lists_a_name_twice_and_all_names_are_lower_case() -> None:
    for vendor in COUNTS:
        rows = files("originmap.data").joinpath(f"{vendor}.csv").read_text("utf-8").splitlines()
        names = [row.split(",")[0] for row in rows[1:]]
        assert len(names) == len(set(names)) == sum(COUNTS[vendor].values())
        assert names == sorted(names)
        assert [name for name in names if name != name.lower() or not name.isascii()] == []


def test_every_region_has_all_members() -> None:
    for each in catalogue().regions():
        assert all((each.title, each.city, each.source)), each


def test_every_place_and_source_is_used() -> None:
    regions = catalogue().regions()
    rows = {
        name: files("originmap.data").joinpath(name).read_text("utf-8").splitlines()[1:]
        for name in ("places.csv", "sources.csv")
    }
    assert len(rows["places.csv"]) == len({(each.city, each.country) for each in regions})
    assert len(rows["sources.csv"]) == len({each.source for each in regions})


def test_every_region_and_hub_is_in_its_country() -> None:
    strays = []
    for each in packaged():
        south, north, west, east = COUNTRY_BOXES[each.country]
        if not (south <= each.latitude <= north and west <= each.longitude <= east):
            strays.append(each)
    assert strays == []


def test_there_is_a_bounding_box_for_each_country() -> None:
    occurring = {each.country for each in packaged()}
    assert sorted(occurring) == sorted(COUNTRY_BOXES)


def test_a_hub_in_the_city_of_a_region_is_near_it() -> None:
    """Airports and city centres come from different sources, so each checks the other."""
    city_hubs = {(hub.city, hub.country): hub for hub in hubs()}
    pairs = [
        (each, city_hubs[each.city, each.country])
        for each in catalogue().regions()
        if (each.city, each.country) in city_hubs
    ]
    assert len(pairs) > 100
    assert [pair for pair in pairs if distance_km(*pair) > 70] == []


@pytest.mark.parametrize("vendor", ["aws", "gcp", "oci"])
def test_a_region_is_in_the_city_that_its_title_names(vendor: str) -> None:
    for each in catalogue().regions(vendor):
        named = each.title.split(",")[0]
        if "(" in each.title:
            named = each.title[each.title.index("(") + 1 : -1]
        if plain(named) not in each.city:
            assert CITY_WITHOUT_NAME[each.title] == each.city, each


@pytest.mark.parametrize("twins", TWINS, ids=lambda twins: twins[0])
def test_vendors_agree_on_the_coordinates_of_a_city(twins: tuple[str, ...]) -> None:
    city, *keys = twins
    found = [catalogue().find(*key.split()) for key in keys]
    assert {each.city for each in found if each} == {city}
    assert None not in found
    assert len({(each.latitude, each.longitude) for each in found if each}) == 1


def test_the_page_states_the_numbers_of_regions() -> None:
    lines = ["| vendor | public | gov | china | sovereign | all |", "|---|---|---|---|---|---|"]
    totals: Counter[str] = Counter()
    for vendor, statuses in COUNTS.items():
        totals.update(statuses)
        cells = [vendor, *statuses.values(), sum(statuses.values())]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    cells = ["all", *totals.values(), totals.total()]
    lines.append(f"| {' | '.join(map(str, cells))} |")
    assert "\n".join(lines) in PAGE.read_text("utf-8")


def test_the_page_states_the_ten_regions_farthest_from_their_upper_tier() -> None:
    colos = hubs()
    far = []
    for each in catalogue().regions():
        primary, fallback = upper_tiers(each, colos)
        far.append((-distance_km(each, primary), each.vendor, each.name, each, primary, fallback))
    lines = ["| region | city | upper tier, km | fallback, km |", "|---|---|---|---|"]
    for _, vendor, name, each, primary, fallback in sorted(far, key=lambda row: row[:3])[:10]:
        lines.append(
            f"| {vendor} {name} | {each.city} | {primary.code} {distance_km(each, primary):.0f}"
            f" | {fallback.code} {distance_km(each, fallback):.0f} |"
        )
    assert "\n".join(lines) in PAGE.with_name("topology.md").read_text("utf-8")

"""Files of own regions: YAML, and geofeeds."""

import json
from pathlib import Path

import pytest

from originmap import data
from originmap.domain.mapping.cities import Cities, City
from originmap.domain.mapping.own_regions import OwnRegion
from originmap.mapfile.errors import UnusableFile, WrongSource
from originmap.mapfile.own_regions import read_cities, read_geofeed, read_yaml

OSLO = "vendor: acme, region: osl-1, latitude: 59.9, longitude: 10.7"
PACKAGED = Cities(data.cities())


def file_of(folder: Path, text: str, name: str = "file") -> Path:
    file = folder / name
    file.write_text(text, "utf-8")
    return file


@pytest.mark.parametrize("form", ["regions:\n- {{{}}}\n", "- {{{}}}\n", "[{{{}}}]"])
def test_a_yaml_file_is_a_list_of_regions(tmp_path: Path, form: str) -> None:
    text = form.format(f"{OSLO}, city: Oslo, country: NO")
    assert read_yaml(file_of(tmp_path, text)) == [
        OwnRegion("acme", "osl-1", "Oslo", "NO", 59.9, 10.7)
    ]
    json = '{"regions": [{"vendor": "a", "region": "b", "latitude": -1, "longitude": 2.5}]}'
    assert read_yaml(file_of(tmp_path, json)) == [OwnRegion("a", "b", "", "", -1, 2.5)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "needs the key regions"), ("regions: 1", "needs the key regions"),
        ("zones: []", "needs the key regions"), ("- 1\n- [2]", "file:2: a region is a mapping"),
        ("- {vendor: a}", "file:1: region is missing"), ("- [", "not YAML"),
        (f"- {{{OSLO}, size: 3}}", "unknown key 'size'"), ("\x01", "not YAML"),
        (f"- {{{OSLO}, vendor: b}}", "vendor must be there once"),
        (f"- {{{OSLO}, city: []}}", "city must be there once"),
        ("- {vendor: a, region: b, latitude: 91, longitude: 1}", "must be degrees"),
        ("- {vendor: a, region: b, latitude: north, longitude: 1}", "must be degrees"),
        ("- &a {}\n- *a", "file:2: aliases"), ("[" * 101, "more than 100 levels"),
    ],
)  # fmt: skip
def test_a_wrong_yaml_file_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(WrongSource, match=reason):
        read_yaml(file_of(tmp_path, text))


@pytest.mark.parametrize("null", ["null", "~", "NULL", ""])
def test_null_is_a_missing_value(tmp_path: Path, null: str) -> None:
    text = f"- {{{OSLO}, city: {null}, country: {null}}}"
    assert read_yaml(file_of(tmp_path, text)) == [OwnRegion("acme", "osl-1", "", "", 59.9, 10.7)]
    with pytest.raises(WrongSource, match=r"file:1: vendor is missing$"):
        read_yaml(file_of(tmp_path, f"- {{vendor: {null}, region: a, latitude: 1, longitude: 1}}"))


def test_null_in_json_is_a_missing_value_and_a_string_is_not(tmp_path: Path) -> None:
    region = {"vendor": "null", "region": "b", "latitude": 1, "longitude": 2}
    text = json.dumps([{**region, "city": "null", "country": None}])
    assert read_yaml(file_of(tmp_path, text, "a.json")) == [
        OwnRegion("null", "b", "null", "", 1, 2)
    ]


@pytest.mark.parametrize("ascii_only", [True, False])
def test_output_of_json_encoders_is_read(tmp_path: Path, ascii_only: bool) -> None:
    region = {
        "vendor": "a",
        "region": "b",
        "latitude": -1,
        "longitude": 2,
        "city": "\U0001f30a\x7f",
    }
    text = json.dumps({"regions": [region]}, indent="\t", ensure_ascii=ascii_only)
    assert read_yaml(file_of(tmp_path, text, "a.json")) == [
        OwnRegion("a", "b", "\U0001f30a\x7f", "", -1, 2)
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[]\n[]", "2: not JSON: expected the end of the file, not '['"),
        ("- {}", "1: not JSON: expected a value, not '-'"),
        ("", "1: not JSON: missing a value"),
        ("[" * 101, "1: not JSON: nested more than 100 levels deep"),
        ('[\n{"vendor": "a",\n"vendor": "a", "region": "b", "latitude": 1, "longitude": 2}]',
         "2: vendor must be there once, as a string or a number"),
    ],
)  # fmt: skip
def test_a_wrong_json_file_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(WrongSource) as caught:
        read_yaml(file_of(tmp_path, text, "a.json"))
    assert str(caught.value) == f"{tmp_path}/a.json:{problem}"


def test_a_missing_or_huge_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableFile, match="No such file"):
        read_yaml(tmp_path / "missing")
    with pytest.raises(UnusableFile, match="longer than"):
        read_yaml(file_of(tmp_path, "#" * (5 << 20)))


def test_the_places_of_a_geofeed_are_regions_once_each(tmp_path: Path) -> None:
    text = (
        "192.0.2.0/24,NL,NL-NH,Amsterdam,\n198.51.100.7,NL,NL-NH,Amsterdam,1098\n"
        "2001:db8::/32,US,US-VA,Ashburn,\n203.0.113.0/24,,,,\n"
    )
    regions = read_geofeed(file_of(tmp_path, text), "acme", PACKAGED)
    assert [(each.region, each.city, each.country) for each in regions] == [
        ("nl-nh-amsterdam", "Amsterdam", "NL"),
        ("us-va-ashburn", "Ashburn", "US"),
    ]


def test_places_without_coordinates_are_listed_and_can_be_given(tmp_path: Path) -> None:
    feed = file_of(tmp_path, "192.0.2.0/25,US,US-GA,Columbus\n192.0.2.128/25,PL,,Gdynia\n")
    with pytest.raises(WrongSource) as caught:
        read_geofeed(feed, "acme", PACKAGED)
    assert [problem.partition(": ")[2] for problem in caught.value.problems] == [
        "no coordinates of Columbus, US-GA, US",
        "no coordinates of Gdynia, PL",
    ]
    text = "city;country;subdivision;latitude;longitude\nColumbus;us;us-ga;32.46;-84.99\n"
    places = file_of(tmp_path, text + "Gdynia;PL;;54.5;18.5\n", "places.csv")
    found = read_geofeed(feed, "acme", Cities([*data.cities(), *read_cities(places)]))
    assert [each.latitude for each in found] == [32.46, 54.5]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("192.0.2.0,DE,,Berlin\n192.0.2.1/24,DE,,Berlin", "file:2: .* has host bits set"),
        ("vendor,region\nacme,b", "line 1: 'REGION' is not an ISO"), ("a,DE,,Berlin", "not a pref"),
        ("192.0.2.0/24,NL,,Amsterdam\n192.0.2.1/32,NL,,amsterdam!", "no coordinates"),
    ],
)  # fmt: skip
def test_a_wrong_geofeed_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(WrongSource, match=reason):
        read_geofeed(file_of(tmp_path, text), "acme", PACKAGED)


def test_a_table_of_cities_can_have_empty_columns_and_lack_the_last_cell(tmp_path: Path) -> None:
    text = "city,country,latitude,longitude,subdivision,\nA,DE,1,2\nB,US,3,4,us-ga,,\n"
    assert read_cities(file_of(tmp_path, text)) == [
        City("A", "DE", "", 1, 2),
        City("B", "US", "US-GA", 3, 4),
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("city,country\n", "missing columns: latitude, longitude"), ("", "missing columns"),
        ("city,country,latitude,longitude\nA,DE,x,1\n", "file:2: latitude and longitude"),
        ('city,country,latitude,longitude\n"A,DE', "not CSV"),
        ("sep=;\ncity;country\n", "file:2: missing columns: latitude, longitude"),
        ("city,country,latitude,longitude\nA,DE,50,11,8,68\n", "file:2: 6 cells in a table of 4"),
        ("city,country,latitude,longitude\nA,DE,50\n", "file:2: 3 cells in a table of 4 columns"),
        ("latitude,longitude,country,city\n50,8\n", "file:2: 2 cells in a table of 4 columns"),
        ("city\tcountry\tlatitude\tlongitude\nA\n", "file:2: 1 cell in a table of 4 columns"),
        ("city,country,latitude,longitude,longitude\nA,DE,1,2,3", "file:1: a column occurs twice"),
        ("city,country,latitude,longitude,state\n", "file:1: unknown columns: 'state'; known are"),
    ],
)  # fmt: skip
def test_a_wrong_file_of_places_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(WrongSource, match=reason):
        read_cities(file_of(tmp_path, text))

"""Geofeeds (RFC 8805), and the names of their regions."""

import pytest

from originmap import data
from originmap.domain.detection.geofeed import InvalidGeofeed, entries
from originmap.domain.mapping.cities import Cities, City

FEED = """# ip_prefix,alpha2code,region,city,postal_code

192.0.2.0/25,US,US-TX,Richardson,
192.0.2.128/25, nl ,nl-nh,"Amsterdam, Zuid",1098 XH
198.51.100.0/24,DE
2001:db8::/32,BR,BR-SP,São Paulo
203.0.113.7,JP,JP-13,東京
203.0.113.0/24,,,,
203.0.113.128/25,ZZ,,,
203.0.113.64/26,FR,Paris,Paris,
"""


def test_the_regions_of_a_feed_are_named_after_their_places() -> None:
    assert [(entry.prefix, entry.region) for entry in entries(FEED)] == [
        ("192.0.2.0/25", "us-tx-richardson"),
        ("192.0.2.128/25", "nl-nh-amsterdam-zuid"),
        ("198.51.100.0/24", "de"),
        ("2001:db8::/32", "br-sp-sao-paulo"),
        ("203.0.113.7", "jp-13"),
        ("203.0.113.0/24", None),
        ("203.0.113.128/25", None),
        ("203.0.113.64/26", "fr-paris"),
    ]


@pytest.mark.parametrize("end", ["\r", "\r\n"])
def test_lines_can_have_the_end_of_any_system(end: str) -> None:
    assert entries(FEED.replace("\n", end)) == entries(FEED)


def test_a_long_name_is_cut() -> None:
    (entry,) = entries(f"192.0.2.0/24,GB,GB-WLS,{'Llanfair ' * 20}")
    assert entry.region is not None
    assert len(entry.region) == 63


@pytest.mark.parametrize("line", ["192.0.2.0/24,Germany", '192.0.2.0/24,DE,,"Ber'])
def test_another_file_is_refused_with_its_line(line: str) -> None:
    with pytest.raises(InvalidGeofeed, match="line 2"):
        entries(f"# a comment\n{line}\n")


def test_a_city_is_found_without_accents_and_with_its_subdivision_if_it_has_one() -> None:
    cities = Cities([*data.cities(), City("Columbus", "US", "US-GA", 32.46, -84.99)])
    paulo = cities.find("SÃO PAULO", "BR", "BR-SP")
    assert paulo is not None
    assert paulo.name == "Sao Paulo"
    assert cities.find("Columbus", "US", "") is None
    georgia, ohio = (cities.find("columbus", "US", code) for code in ("US-GA", "US-OH"))
    assert georgia is not None
    assert ohio is not None
    assert georgia.latitude < ohio.latitude
    assert cities.find("Paris", "US", "US-TX") is None

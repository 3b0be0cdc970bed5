"""The lists of vendors that publish geofeeds, and of edge services."""

import datetime
from pathlib import Path

import pytest

from originmap import data
from originmap.detect import reader
from originmap.detect.content import read_file
from originmap.detect.errors import DamagedRanges
from originmap.domain.detection import prefix
from originmap.domain.detection.detection import Verdict, detect
from originmap.domain.detection.ranges import RangeTable
from originmap.domain.mapping.catalogue import Catalogue
from originmap.domain.mapping.mapping import Place
from originmap.domain.mapping.own_regions import OwnRegion, OwnRegions, merged
from tests.builders import ip
from tests.detect.samples import (
    AWS,
    CLOUDFLARE,
    DIGITALOCEAN,
    FASTLY,
    HETZNER,
    LINODE,
    VULTR,
    content,
    kept_in,
)


def regions_in(path: Path, vendor: str | None = None) -> dict[str, str | None]:
    published = reader.read(read_file(path), vendor)
    assert published.vendor == (vendor or path.stem)
    return {prefix.of(*each.prefix): each.region for each in published.ranges}


def test_a_geofeed_has_regions_named_after_its_places() -> None:
    assert regions_in(DIGITALOCEAN, "digitalocean") == {
        "192.0.2.0/25": "nl-nh-amsterdam",
        "192.0.2.128/25": "us-nj-north-bergen",
        "2001:db8:d0::/48": "sg-05-singapore",
    }
    assert regions_in(LINODE, "linode")["198.51.100.64/26"] == "us-ga-atlanta"
    assert regions_in(HETZNER, "hetzner") == {
        "203.0.113.0/26": "de-sn-falkenstein",
        "203.0.113.64/26": "fi-18-helsinki",
        "203.0.113.128/26": None,
        "2001:db8:4e::/48": "de-by-nurnberg",
    }


def test_vultrs_list_is_read_without_addresses_that_are_nobodys() -> None:
    assert regions_in(VULTR) == {
        "198.18.0.0/24": "fr-idf-aubervilliers",
        "2001:db8:5::/48": "za-gp-johannesburg",
    }
    published = reader.read(read_file(VULTR)).published
    assert published == datetime.datetime(2026, 11, 20, 3, 15, 2, tzinfo=datetime.UTC)


@pytest.mark.parametrize("path", [FASTLY, CLOUDFLARE], ids=["fastly", "cloudflare"])
def test_all_addresses_of_an_edge_service_are_at_the_edge(path: Path) -> None:
    found = regions_in(path)
    assert len(found) == 3
    table = RangeTable([reader.read(read_file(path))])
    for text in found:
        for claim in (None, Place("aws", "us-east-1")):
            address = ip(text.partition("/")[0])
            detection = detect(table, data.catalogue(), address, claim)
            assert detection.verdict is Verdict.EDGE_SERVICE
            assert detection.evidence is not None
            assert (detection.evidence.vendor, detection.evidence.region) == (path.stem, None)


def test_the_longest_prefix_of_a_geofeed_counts() -> None:
    table = RangeTable([reader.read(read_file(LINODE), "linode")])
    own = OwnRegion("linode", "us-ga-atlanta", "Atlanta", "US", 33.75, -84.39)
    catalogue: Catalogue = merged(data.catalogue(), OwnRegions((own,)))
    found = [detect(table, catalogue, ip(text)) for text in ("198.51.100.1", "198.51.100.65")]
    assert [(d.evidence.region, d.evidence.in_catalogue) for d in found if d.evidence] == [
        ("us-tx-richardson", False),
        ("us-ga-atlanta", True),
    ]


def test_geofeeds_are_stored_by_vendor_beside_the_others(tmp_path: Path) -> None:
    files = kept_in(tmp_path)
    files.keep([read_file(CLOUDFLARE), read_file(FASTLY)])
    files.keep([read_file(LINODE)], expected="linode")
    files.keep([read_file(HETZNER)], expected="acme")
    assert [kept.publication.vendor for kept in files.kept()] == [
        "acme",
        "cloudflare",
        "fastly",
        "linode",
    ]
    assert (tmp_path / "acme.csv.gz").exists()
    assert files.table().vendors == ("acme", "cloudflare", "fastly", "linode")


@pytest.mark.parametrize(
    ("vendor", "reason"),
    [(None, "name its vendor with --vendor"), ("aws", "name its vendor with --vendor")],
)
def test_a_geofeed_needs_a_vendor_that_publishes_one(
    tmp_path: Path, vendor: str | None, reason: str
) -> None:
    with pytest.raises(DamagedRanges, match=reason):
        kept_in(tmp_path).keep([read_file(LINODE)], expected=vendor)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_geofeed_is_read_as_any_program_saves_it(tmp_path: Path, encoding: str, end: str) -> None:
    text = end.join(["# acme", "192.0.2.0/25,NL,,Amsterdam,", "192.0.2.128/25,DE,,Berlin,"])
    file = tmp_path / "feed.csv"
    file.write_bytes(text.encode(encoding))
    published = reader.read(read_file(file), "acme")
    assert [each.region for each in published.ranges] == ["nl-amsterdam", "de-berlin"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("# acme\r192.0.2.1/24,NL,,Amsterdam", "line 2: '192.0.2.1/24' has host bits set"),
        ("192.0.2.0/24,NL,,Delft\n192.0.2.300,NL,,Delft", "line 2: '192.0.2.300/32' is not a pre"),
        ("192.0.2.0/24,Holland", "line 1: 'HOLLAND' is not an ISO 3166-1 alpha-2 code"),
        ("", "it is empty"),
        ("\n\n", "it is empty"),
        ("# a comment", "it has no prefixes"),
    ],
)
def test_an_error_in_a_geofeed_has_its_line(text: str, reason: str) -> None:
    with pytest.raises(DamagedRanges) as caught:
        reader.read(content(text.encode()), "acme")
    assert caught.value.reason.startswith(reason)


def test_another_file_is_no_geofeed(tmp_path: Path) -> None:
    with pytest.raises(DamagedRanges, match="line 2: not CSV"):
        kept_in(tmp_path).keep([read_file(AWS)], expected="linode")

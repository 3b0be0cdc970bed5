"""The readers of the vendors' files, plain or compressed, under any file name."""

import datetime
import gzip
from pathlib import Path

import pytest

from originmap.detect import azure, reader
from originmap.detect.content import Content, read_file
from originmap.domain.detection import prefix
from originmap.domain.detection.ranges import Publication, Range
from tests.detect.samples import AWS, AZURE, GCP, MODIFIED, OCI, content, document


def read(path: Path) -> Publication:
    return reader.read(read_file(path))


def by_prefix(publication: Publication) -> dict[str, Range]:
    return {prefix.of(*each.prefix): each for each in publication.ranges}


def test_the_format_of_aws_is_read() -> None:
    aws = read(AWS)
    found = by_prefix(aws)
    assert (aws.vendor, len(found)) == ("aws", 7)
    assert aws.published == datetime.datetime(2026, 8, 22, 15, 17, 5, tzinfo=datetime.UTC)
    both = found["192.0.2.0/25"]
    assert (both.region, both.services) == ("us-west-2", ("AMAZON", "EC2"))
    local = found["192.0.2.128/26"]
    assert (local.region, local.border_group) == ("us-west-2", "us-west-2-lax-1")
    assert found["198.18.0.0/16"].region is None
    assert found["198.18.7.0/24"].region == "eu-central-1"
    assert found["2001:db8:a::/48"].region == "us-east-1"
    assert aws.regions == {"eu-central-1", "us-east-1", "us-moon-1", "us-west-2"}


def test_the_format_of_gcp_is_read() -> None:
    gcp = read(GCP)
    found = by_prefix(gcp)
    assert gcp.vendor == "gcp"
    # From the syncToken; creationTime, seven hours earlier, is local time.
    assert gcp.published == datetime.datetime(2026, 8, 21, 8, 5, 42, tzinfo=datetime.UTC)
    regions = [each.region for each in found.values()]
    assert regions == ["europe-west1", None, "europe-west1"]
    assert found["2001:db8:6::/48"].services == ("Google Cloud",)


def test_the_format_of_oci_is_read() -> None:
    oci = read(OCI)
    found = by_prefix(oci)
    assert oci.vendor == "oci"
    assert oci.published == datetime.datetime(2026, 7, 27, 6, 55, 33, tzinfo=datetime.UTC)
    assert found["203.0.113.160/27"].region == "mx-monterrey-1"
    assert found["203.0.113.160/27"].services == ("OBJECT_STORAGE", "OSN")


def test_the_format_of_azure_is_read() -> None:
    found = by_prefix(read(AZURE))
    assert {text: (each.region, each.services) for text, each in found.items()} == {
        "198.19.0.0/18": ("francecentral", ("AzureCloud",)),
        "198.19.1.0/24": ("francecentral", ("AzureCloud", "Storage")),
        "198.19.2.0/29": ("francecentral", ("AzureCloud", "AzureFrontDoor.Frontend")),
        "198.19.64.0/20": (None, ("AzureCloud",)),
        "198.19.128.0/24": (None, ("Storage",)),
        "198.19.160.0/24": (None, ("AzureFrontDoor.Frontend",)),
        "2001:db8:2::/48": ("francecentral", ("AzureCloud",)),
        "2001:db8:2:5::/64": ("francecentral", ("AzureCloud", "Storage")),
    }


def test_a_regional_service_sets_no_region_outside_its_region() -> None:
    changed = document(AZURE)
    tag = next(tag for tag in changed["values"] if tag["name"] == "Storage.FranceCentral")
    tag["properties"]["addressPrefixes"].append("198.19.200.0/24")
    found = by_prefix(reader.read(content(changed)))
    assert found["198.19.200.0/24"].region is None


def test_the_date_of_azures_file_is_in_its_name_or_its_modification_time() -> None:
    assert read(AZURE).published == datetime.datetime(2026, 11, 2, tzinfo=datetime.UTC)
    for name in (
        "azure.json",
        "ServiceTags_Public_20269999.json",
        "/ServiceTags_Public_20261102/x",
    ):
        assert reader.read(content(document(AZURE), name)).published == MODIFIED


def test_the_most_frequent_name_of_a_region_is_used() -> None:
    assert azure.aliases(
        [
            ("FranceCentral", "centralfrance"),
            ("EastUS2", "eastus2"),
            ("EastUS2Stage", "eastus2"),
            ("eastus2", "eastus2"),
            ("B", "tie"),
            ("a", "tie"),
        ]
    ) == {"centralfrance": "francecentral", "eastus2": "eastus2", "tie": "a"}


def test_a_region_without_other_services_keeps_its_name() -> None:
    changed = document(AZURE)
    changed["values"] = [t for t in changed["values"] if t["name"].startswith("AzureCloud")]
    assert reader.read(content(changed)).regions == {"centralfrance"}


@pytest.mark.parametrize("path", [AWS, AZURE, GCP, OCI], ids=lambda path: path.name)
def test_a_compressed_file_equals_a_plain_one(path: Path, tmp_path: Path) -> None:
    packed = tmp_path / path.name
    packed.write_bytes(
        gzip.compress(path.read_bytes()[:99]) + gzip.compress(path.read_bytes()[99:])
    )
    assert read(packed).ranges == read(path).ranges


def test_unknown_members_are_ignored() -> None:
    changed = document(AWS)
    changed["new"] = changed["prefixes"][0]["new"] = {"a": [1]}
    assert reader.read(content(changed)).ranges == read(AWS).ranges


def test_order_and_white_space_do_not_matter() -> None:
    changed = document(AWS)
    changed["prefixes"].reverse()
    assert reader.read(content(changed)).ranges == read(AWS).ranges
    blank = Content("x", b"\n \t" + AWS.read_bytes() + b"\n\n", MODIFIED)
    assert reader.read(blank).ranges == read(AWS).ranges

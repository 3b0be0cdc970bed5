"""Verdicts of the detection by published ranges."""

import datetime

import pytest

from originmap import data
from originmap.domain.detection import prefix
from originmap.domain.detection.detection import Detection, Verdict, detect
from originmap.domain.detection.ranges import Publication, Range, RangeTable, merge
from originmap.domain.mapping.mapping import Place
from tests.builders import ip

CATALOGUE = data.catalogue()
AWS_DATE = datetime.datetime(2026, 8, 22, 15, 17, 5, tzinfo=datetime.UTC)
OTHER_DATE = datetime.datetime(2026, 7, 27, tzinfo=datetime.UTC)


def row(vendor: str, text: str, region: str | None, *services: str, border: str = "") -> Range:
    return Range(prefix.parse(text), vendor, region, services, border or None)


TABLE = RangeTable(
    Publication(vendor, date, merge(rows))
    for vendor, date, rows in [
        (
            "aws",
            AWS_DATE,
            [
                row("aws", "192.0.2.0/25", "us-west-2", "AMAZON", "EC2", border="us-west-2"),
                row("aws", "192.0.2.128/26", "us-west-2", "EC2", border="us-west-2-lax-1"),
                row("aws", "198.18.0.0/16", None, "AMAZON", border="GLOBAL"),
                row("aws", "198.51.100.0/28", "us-east-1", "CLOUDFRONT", border="us-east-1"),
                row("aws", "198.51.100.16/28", "us-east-1", "AMAZON", "GLOBALACCELERATOR"),
                row("aws", "198.51.100.32/28", "us-east-1", "ROUTE53"),
                row("aws", "198.51.100.48/28", "us-east-1", "ROUTE53_RESOLVER"),
                row("aws", "198.51.100.64/28", "us-moon-1", "EC2"),
                row("aws", "2001:db8::/32", "us-west-2", "EC2"),
            ],
        ),
        ("gcp", OTHER_DATE, [row("gcp", "203.0.113.0/26", None, "Google Cloud")]),
        (
            "azure",
            OTHER_DATE,
            [
                row("azure", "198.19.0.0/18", "francecentral", "AzureCloud"),
                row("azure", "198.19.2.0/29", "francecentral", "AzureFrontDoor.Frontend"),
                row("azure", "198.19.64.0/20", None, "AzureCloud"),
            ],
        ),
        ("oci", OTHER_DATE, [row("oci", "203.0.113.128/27", "mx-monterrey-1", "OCI")]),
    ]
)


def detected(text: str, *claim: str) -> Detection:
    return detect(TABLE, CATALOGUE, ip(text), Place(*claim) if claim else None)


@pytest.mark.parametrize(
    ("text", "claim", "verdict"),
    [
        ("192.0.2.1", (), "confirmed"),
        ("192.0.2.1", ("aws", "us-west-2"), "confirmed"),
        ("192.0.2.1", ("aws", "us-east-1"), "mismatch"),
        ("192.0.2.1", ("gcp", "us-west1"), "mismatch"),
        ("192.0.2.129", ("aws", "us-west-2"), "confirmed"),
        ("2001:db8::1", ("aws", "us-west-2"), "confirmed"),
        # AWS GLOBAL, Google's global, Azure's tags without a region: only the vendor is known.
        ("198.18.0.1", (), "vendor-only"),
        ("198.18.0.1", ("aws", "us-east-1"), "vendor-only"),
        ("203.0.113.1", ("gcp", "europe-west1"), "vendor-only"),
        ("198.19.64.1", ("azure", "westeurope"), "vendor-only"),
        ("203.0.113.1", ("aws", "us-east-1"), "mismatch"),
        # Edge services, with any region in the list and any claim.
        ("198.51.100.1", (), "edge-service"),
        ("198.51.100.1", ("aws", "us-east-1"), "edge-service"),
        ("198.51.100.17", ("aws", "eu-west-1"), "edge-service"),
        ("198.51.100.33", ("gcp", "us-west1"), "edge-service"),
        ("198.19.2.1", ("azure", "francecentral"), "edge-service"),
        # A regional service, despite its name.
        ("198.51.100.49", ("aws", "us-east-1"), "confirmed"),
        ("198.19.0.1", ("azure", "francecentral"), "confirmed"),
        ("198.51.100.200", (), "unlisted"),
        ("198.51.100.200", ("aws", "us-east-1"), "unlisted"),
    ],
)
def test_an_address_gets_the_expected_verdict(
    text: str, claim: tuple[str, ...], verdict: str
) -> None:
    assert detected(text, *claim).verdict == verdict


def test_evidence_names_prefix_services_border_group_and_date() -> None:
    found = detected("192.0.2.130").evidence
    assert found is not None
    assert (found.prefix, found.vendor, found.region) == ("192.0.2.128/26", "aws", "us-west-2")
    assert (found.services, found.border_group) == (("EC2",), "us-west-2-lax-1")
    assert found.published == AWS_DATE
    assert found.in_catalogue


def test_each_vendor_has_its_own_date() -> None:
    found = detected("203.0.113.129").evidence
    assert found is not None
    assert found.published == OTHER_DATE


def test_a_region_outside_the_catalogue_is_returned_and_marked() -> None:
    found = detected("198.51.100.65", "aws", "us-moon-1")
    assert found.verdict is Verdict.CONFIRMED
    assert found.evidence is not None
    assert found.evidence.region == "us-moon-1"
    assert not found.evidence.in_catalogue


def test_an_edge_service_has_no_region() -> None:
    for text in ("198.51.100.1", "198.19.2.1"):
        found = detected(text).evidence
        assert found is not None
        assert (found.region, found.border_group, found.in_catalogue) == (None, None, False)


@pytest.mark.parametrize(
    ("text", "claim", "verifiable"),
    [
        ("198.51.100.200", ("aws", "us-west-2"), True),
        ("2001:db9::1", ("aws", "us-west-2"), True),
        ("2001:db9::1", ("oci", "mx-monterrey-1"), False),  # Oracle lists no IPv6
        ("198.51.100.200", ("oci", "eu-turin-1"), False),  # and none for this region
        ("198.51.100.200", ("oci", "mx-monterrey-1"), True),
        ("198.51.100.200", (), False),
        ("192.0.2.1", ("oci", "eu-turin-1"), True),
        ("192.0.2.1", (), True),
    ],
)
def test_an_unlisted_address_proves_nothing_for_a_region_without_ranges(
    text: str, claim: tuple[str, ...], verifiable: bool
) -> None:
    assert detected(text, *claim).verifiable is verifiable

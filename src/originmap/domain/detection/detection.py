"""Detection: what the vendors' published ranges say of an origin's address.

Owns the verdicts. With a claim, the place that a mapping names, a verdict is about the claim;
without one it is about what was found:

    published of it              without a claim   with a claim
    a service at the edge        edge-service      edge-service
    a region                     confirmed         confirmed or mismatch
    a vendor without a region    vendor-only       vendor-only; of another vendor: mismatch
    nothing                      unlisted          unlisted

A verdict is never a rule: addresses that a customer brought along are in no list, and lists
are older than the network.
"""

import datetime
from enum import StrEnum
from typing import NamedTuple

from originmap.domain.detection import prefix
from originmap.domain.detection.ranges import Listing, RangeTable
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.catalogue import Catalogue
from originmap.domain.mapping.mapping import Place

# The vendors list some of these with a region, but what has such an address is at the edge, in
# front of an origin. Azure's have tags below theirs: AzureFrontDoor.Frontend.
_EDGE = frozenset(
    {
        ("aws", "CLOUDFRONT"),
        ("aws", "GLOBALACCELERATOR"),
        ("aws", "ROUTE53"),
        ("azure", "AzureFrontDoor"),
    }
)


class Verdict(StrEnum):
    """What published ranges say, about a claim or without one."""

    CONFIRMED = "confirmed"
    MISMATCH = "mismatch"
    VENDOR_ONLY = "vendor-only"
    EDGE_SERVICE = "edge-service"
    UNLISTED = "unlisted"


class Evidence(NamedTuple):
    """The longest published prefix around an address, and what its vendor says of it.

    `in_catalogue` says whether a mapping may name the region: vendors publish ranges of regions
    that they list nowhere else. `published` is when the vendor published the data. For a service
    at the edge region and border group are left out: they are not the origin's.
    """

    prefix: str
    vendor: str
    region: str | None
    services: tuple[str, ...]
    border_group: str | None
    published: datetime.datetime
    in_catalogue: bool


class Detection(NamedTuple):
    """The verdict on an address; `evidence` is None for an unlisted one.

    `verifiable` is False where an address of the claim could not be in the lists: there are no
    ranges of that region in that family, so that being unlisted says nothing. Without a claim
    it is True wherever something was found.
    """

    address: Address
    claim: Place | None
    verdict: Verdict
    evidence: Evidence | None
    verifiable: bool


def detect(
    table: RangeTable, catalogue: Catalogue, address: Address, claim: Place | None = None
) -> Detection:
    """What is published of an address, and whether it agrees with a claim."""
    found = table.find(address)
    if found is None:
        verifiable = claim is not None and table.covers(*claim, address[0])
        return Detection(address, claim, Verdict.UNLISTED, None, verifiable)
    verdict = _verdict(found, claim)
    at_edge = verdict is Verdict.EDGE_SERVICE
    region = None if at_edge else found.region
    published = table.published(found.vendor)
    assert published is not None
    evidence = Evidence(
        prefix.of(address, found.length),
        found.vendor,
        region,
        found.services,
        None if at_edge else found.border_group,
        published,
        region is not None and catalogue.knows(found.vendor, region),
    )
    return Detection(address, claim, verdict, evidence, True)


def _verdict(found: Listing, claim: Place | None) -> Verdict:
    if any((found.vendor, service.partition(".")[0]) in _EDGE for service in found.services):
        return Verdict.EDGE_SERVICE
    if claim is not None and claim.vendor != found.vendor:
        return Verdict.MISMATCH
    if found.region is None:
        return Verdict.VENDOR_ONLY
    if claim is not None and claim.region != found.region:
        return Verdict.MISMATCH
    return Verdict.CONFIRMED

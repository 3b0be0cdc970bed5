"""Detection of an origin's region by the vendors' published IP ranges.

Owns the verdicts. With a claim, the region that a mapping names, the verdict is about the claim;
without one it is about the published range:

    published range              without a claim   with a claim
    an edge service              edge-service      edge-service
    a region                     confirmed         confirmed or mismatch
    a vendor without a region    vendor-only       vendor-only; of another vendor: mismatch
    none                         unlisted          unlisted

A verdict is advice only: a customer's own addresses (BYOIP) are in no list, and the lists lag
behind the network.
"""

import datetime
from enum import StrEnum
from typing import NamedTuple

from originmap.domain.detection import prefix
from originmap.domain.detection.ranges import Listing, RangeTable
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.catalogue import Catalogue
from originmap.domain.mapping.mapping import Place

# The vendors list some of these with a region, but such an address is at the edge, in front of an
# origin. Azure's service tags can have a suffix: AzureFrontDoor.Frontend.
_EDGE = frozenset(
    {
        ("aws", "CLOUDFRONT"),
        ("aws", "GLOBALACCELERATOR"),
        ("aws", "ROUTE53"),
        ("azure", "AzureFrontDoor"),
    }
)
_EDGE_VENDORS = frozenset({"cloudflare", "fastly"})
"""Vendors whose published addresses are all at the edge."""


class Verdict(StrEnum):
    """The result of a detection, with or without a claim."""

    CONFIRMED = "confirmed"
    MISMATCH = "mismatch"
    VENDOR_ONLY = "vendor-only"
    EDGE_SERVICE = "edge-service"
    UNLISTED = "unlisted"


class Evidence(NamedTuple):
    """The longest published prefix that contains an address, with the vendor's data about it.

    `in_catalogue` says whether a mapping can name the region: vendors publish ranges of regions
    that they list nowhere else. `published` is the time of the vendor's publication. Edge services
    have no region and no border group here, because these are not the origin's.
    """

    prefix: str
    vendor: str
    region: str | None
    services: tuple[str, ...]
    border_group: str | None
    published: datetime.datetime
    in_catalogue: bool


class Detection(NamedTuple):
    """The verdict on an address; `evidence` is None for an unlisted address.

    `verifiable` is False if the lists have no ranges of the claimed region in the address's
    family, so that an unlisted address proves nothing. Without a claim it is True if there is
    evidence.
    """

    address: Address
    claim: Place | None
    verdict: Verdict
    evidence: Evidence | None
    verifiable: bool


def detect(
    table: RangeTable, catalogue: Catalogue, address: Address, claim: Place | None = None
) -> Detection:
    """Look an address up in the published ranges, and compare the result with a claim."""
    listing = table.find(address)
    if listing is None:
        verifiable = claim is not None and table.covers(*claim, address[0])
        return Detection(address, claim, Verdict.UNLISTED, None, verifiable)
    verdict = _verdict(listing, claim)
    at_edge = verdict is Verdict.EDGE_SERVICE
    region = None if at_edge else listing.region
    published = table.published(listing.vendor)
    assert published is not None
    evidence = Evidence(
        prefix.of(address, listing.length),
        listing.vendor,
        region,
        listing.services,
        None if at_edge else listing.border_group,
        published,
        region is not None and catalogue.knows(listing.vendor, region),
    )
    return Detection(address, claim, verdict, evidence, True)


def _verdict(listing: Listing, claim: Place | None) -> Verdict:
    if listing.vendor in _EDGE_VENDORS:
        return Verdict.EDGE_SERVICE
    if any((listing.vendor, service.partition(".")[0]) in _EDGE for service in listing.services):
        return Verdict.EDGE_SERVICE
    if claim is not None and claim.vendor != listing.vendor:
        return Verdict.MISMATCH
    if listing.region is None:
        return Verdict.VENDOR_ONLY
    if claim is not None and claim.region != listing.region:
        return Verdict.MISMATCH
    return Verdict.CONFIRMED

"""Builders of domain values, so that a test sets only relevant members."""

from collections.abc import Iterable

from originmap.domain.access.permissions import Policy
from originmap.domain.access.token import Owner, Token, hash_secret
from originmap.domain.history.change import Cause
from originmap.domain.history.record import Key, Kind, RecordChange, RecordDecide, RecordDecision
from originmap.domain.mapping import address
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.catalogue import Region, RegionStatus
from originmap.domain.mapping.mapping import Mapping, MappingChange, Place, ZoneView
from originmap.domain.tier.tier import Located, choose, rank
from originmap.domain.tier.topology import Colo, Topology
from originmap.domain.zone.rules import delete_zone
from originmap.domain.zone.zone import Zone

US_EAST = Place("aws", "us-east-1")
US_WEST = Place("aws", "us-west-2")
CENTRAL = Place("gcp", "us-central1")

ZONE_ID = "0123456789abcdef0123456789abcdef"
CAUSE = Cause("credential", "192.0.2.200", "ray")


def ip(text: str) -> Address:
    """The address with the spelling `text`."""
    return address.parse(text)


def ips(count: int, start: int = 1) -> list[Address]:
    """`count` different addresses."""
    return [ip(f"10.0.{n // 256}.{n % 256}") for n in range(start, start + count)]


def view(*mappings: tuple[str, Place], count: int | None = None) -> ZoneView:
    """The input of a rule: a zone with these mappings."""
    current = {ip(text): Mapping(ip(text), place, 1, 1) for text, place in mappings}
    return ZoneView(current, len(current) if count is None else count)


def policy(
    allow: bool, resources: Iterable[str], groups: Iterable[str], *, id_: str = "policy"
) -> Policy:
    """A policy on whole resources."""
    return Policy(id_, allow, dict.fromkeys(resources, "*"), tuple(groups))


USER = Owner("user", "user")


def token(name: str, *policies: Policy, owner: Owner = USER) -> Token:
    """A token with the secret `secret-NAME`."""
    return Token(name, name, hash_secret(f"secret-{name}"), policies, owner, 1, 1)


def zone(zone_id: str = ZONE_ID, name: str = "example.com") -> Zone:
    """A zone."""
    return Zone(zone_id, name, "account", 1, 1)


def new_zone(zone_id: str = ZONE_ID, name: str = "example.com") -> RecordDecide[None]:
    """The rule that creates a zone, with or without its account."""
    made = zone(zone_id, name)
    return lambda records: RecordDecision(
        (RecordChange(Key(Kind.ZONE, zone_id), None, made),), None
    )


def remove_zone(zone_id: str = ZONE_ID) -> RecordDecide[None]:
    """The rule that deletes a zone."""
    return delete_zone(zone_id)


def region_at(place: Located, vendor: str = "aws", name: str = "us-east-1") -> Region:
    """A region at given coordinates."""
    where = (place.latitude, place.longitude)
    return Region(vendor, name, "", "Town", "US", *where, RegionStatus.PUBLIC, "")


def upper_tiers(
    place: Located, colos: Iterable[Colo], apart_km: float = 150.0, count: int = 2
) -> tuple[Colo, ...]:
    """The colos for a region at given coordinates, by distance alone."""
    ranking = rank([region_at(place)], Topology(tuple(colos)), {})
    return tuple(ranked.colo for ranked in choose(ranking, apart_km, count))


def created(text: str, place: Place) -> MappingChange:
    """The change that creates a mapping."""
    return MappingChange(ip(text), None, place)

"""Small makers of domain values, so that a test says only what it is about."""

from originmap.domain import address
from originmap.domain.address import Address
from originmap.domain.change import Cause
from originmap.domain.mapping import Mapping, MappingChange, Place, ZoneView
from originmap.domain.record import Key, Kind, RecordChange, RecordDecide, RecordDecision
from originmap.domain.zone import Zone
from originmap.domain.zone_rules import create_zone

US_EAST = Place("aws", "us-east-1")
US_WEST = Place("aws", "us-west-2")
CENTRAL = Place("gcp", "us-central1")

ZONE_ID = "0123456789abcdef0123456789abcdef"
CAUSE = Cause("credential", "192.0.2.200", "ray")


def ip(text: str) -> Address:
    """The address spelled `text`."""
    return address.parse(text)


def ips(count: int, start: int = 1) -> list[Address]:
    """`count` different addresses."""
    return [ip(f"10.0.{n // 256}.{n % 256}") for n in range(start, start + count)]


def view(*mappings: tuple[str, Place], count: int | None = None) -> ZoneView:
    """What a rule sees of a zone with these mappings."""
    current = {ip(text): Mapping(ip(text), place, 1, 1) for text, place in mappings}
    return ZoneView(current, len(current) if count is None else count)


def zone(zone_id: str = ZONE_ID, name: str = "example.com") -> Zone:
    """A zone."""
    return Zone(zone_id, name, "account", 1, 1)


def new_zone(zone_id: str = ZONE_ID, name: str = "example.com") -> RecordDecide[Zone]:
    """The rule that makes a zone."""
    return create_zone(zone(zone_id, name))


def remove_zone(zone_id: str = ZONE_ID) -> RecordDecide[None]:
    """The rule that removes a zone, whatever it holds."""
    key = Key(Kind.ZONE, zone_id)
    return lambda records: RecordDecision((RecordChange(key, records[key], None),), None)


def created(text: str, place: Place) -> MappingChange:
    """The change that makes a mapping."""
    return MappingChange(ip(text), None, place)

"""Small networks and zones, and whole exported files."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from originmap import data
from originmap.domain.mapping.mapping import Mapping as Stored
from originmap.domain.mapping.mapping import Place
from originmap.domain.tier.cache import Cache, CacheState
from originmap.domain.tier.tier import Tiers
from originmap.domain.tier.topology import Colo, GenericTier, Topology
from originmap.domain.zone.zone import Switch, Zone
from originmap.export.endpoint import Endpoints, read
from originmap.export.format import File, written
from originmap.export.node import Node
from tests.builders import ip

CATALOGUE = data.catalogue()
VIRGINIA, FRANKFURT = Place("aws", "us-east-1"), Place("gcp", "europe-west3")
TOKYO, NOWHERE = Place("aws", "ap-northeast-1"), Place("aws", "nowhere-1")
PLACES = (VIRGINIA, FRANKFURT, TOKYO)

COLOS = (
    Colo("IAD", "Ashburn", "US", 38.9, -77.5),
    Colo("FRA", "Frankfurt", "DE", 50.0, 8.6),
    Colo("NRT", "Tokyo", "JP", 35.8, 140.4),
    Colo("SIN", "Singapore", "SG", 1.4, 104.0, eligible=False),
)
SHARED = (
    replace(COLOS[0], caches=(
        Cache("iad-1", "192.0.2.11", 8080), Cache("iad-2", "192.0.2.12", 8080, weight=2),
        Cache("iad-3", "2001:db8::13", state=CacheState.DRAINING),
        Cache("iad-4", "iad-4.example.net"),
    )),
    replace(COLOS[1], caches=(Cache("fra-1", "192.0.2.21"), Cache("fra-2", "fra-2.example.net"))),
    *COLOS[2:],
)  # fmt: skip
"""Colos with several caches."""
ENDPOINTS = read(["{colo}.cache.example.net:8080", "NRT=[2001:db8::99]:81", "FRA=192.0.2.99:82"])

ZONES = (
    Zone("1" * 32, "example.com", "account", 1, 1),
    Zone("2" * 32, "off.example", "account", 1, 1, tiered_cache=Switch(False)),
    Zone("3" * 32, "generic.example", "account", 1, 1, smart_tiered_cache=Switch(False)),
    Zone("4" * 32, "other.example", "account", 1, 1),
    Zone("5" * 32, "empty.example", "account", 1, 1),
)
REGIONAL = tuple(replace(zone, regional_tiered_cache=Switch(True)) for zone in ZONES)
"""The same with Regional Tiered Cache on."""
ORIGINS: Mapping[str, Mapping[str, Place]] = {
    "example.com": {
        "192.0.2.1": VIRGINIA,
        "192.0.2.2": FRANKFURT,
        "192.0.2.3": NOWHERE,
        "203.0.113.7": TOKYO,
        "2001:db8::1": TOKYO,
        "::1:2": FRANKFURT,
    },
    "off.example": {"192.0.2.9": VIRGINIA},
    "generic.example": {"192.0.2.10": VIRGINIA},
    "other.example": {"192.0.2.1": FRANKFURT, "2001:db8::1": TOKYO},
}


def node(
    colo: str | None = "SIN",
    *,
    zones: Iterable[Zone] = ZONES,
    colos: Sequence[Colo] = COLOS,
    endpoints: Endpoints = ENDPOINTS,
    places: Iterable[Place] = PLACES,
    generic: GenericTier = GenericTier.NEAREST,
    hubs: Mapping[str, tuple[str, ...]] | None = None,
) -> Node:
    """A node of a small cache network."""
    tiers = Tiers(CATALOGUE, Topology(tuple(colos), generic=generic, hubs=hubs or {}), {})
    return Node(zones, tiers, places, colo, endpoints)


def stored(origins: Mapping[str, Place], first_revision: int = 1) -> list[Stored]:
    """Mappings in the order of a store: by address, with revisions in that order."""
    addresses = sorted((ip(text), place) for text, place in origins.items())
    return [
        Stored(address, place, 1_700_000_000_000_000 + revision, revision)
        for revision, (address, place) in enumerate(addresses, first_revision)
    ]


def export(file: File, of: Node, origins: Mapping[str, Mapping[str, Place]] = ORIGINS) -> bytes:
    """A whole file; later zones have later revisions."""
    parts = (
        of.part(zone, stored(origins.get(zone.name, {}), 100 * number))
        for number, zone in enumerate(of.zones, 1)
    )
    return b"".join(written(file.writer(of), parts))

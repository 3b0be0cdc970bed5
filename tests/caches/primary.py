"""The server for the caches' exports, and the writes to it."""

import httpx

from tests.caches.programs.cache import IP, ZONE
from tests.process import BEARER, Server

NEAR_IAD, NEAR_FRA = ("aws", "us-east-1"), ("gcp", "europe-west3")
PLACES = {"IAD": (38.9, -77.5), "FRA": (50.0, 8.6), "SIN": (1.4, 104.0)}
PARIS = (48.9, 2.4)


def put(server: Server, place: tuple[str, str], ip: str = IP) -> None:
    """Map the origin to a region."""
    item = {"origin_ip": ip, "vendor": place[0], "region": place[1]}
    url = f"{server.mappings}/{ip}"
    # Loading certificates takes longer than the request, and the test needs none.
    httpx.put(url, json=item, headers=BEARER, verify=False).raise_for_status()


def remove(server: Server) -> None:
    """Delete the mapping of the origin."""
    httpx.delete(f"{server.mappings}/{IP}", headers=BEARER).raise_for_status()


def set_pool(server: Server, *members: str) -> None:
    """Make these origins the only pool of the zone; without members, it has none."""
    pools = [{"name": "web", "members": members}] if members else []
    url = f"{server.url}/originmap/v1/zones/{ZONE}/pools"
    httpx.put(url, json={"pools": pools}, headers=BEARER, verify=False).raise_for_status()


def set_topology(server: Server, places: dict[str, tuple[float, float]]) -> None:
    """Colos of which all except SIN are upper tiers."""
    colos = [
        {"code": code, "city": code, "country": "US", "latitude": place[0],
         "longitude": place[1], "eligible": code != "SIN"}
        for code, place in places.items()
    ]  # fmt: skip
    topology = f"{server.url}/originmap/v1/topology"
    httpx.put(topology, json={"colos": colos}, headers=BEARER).raise_for_status()

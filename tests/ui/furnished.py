"""A server with what a small operator has: zones, mappings, nodes, a rollout, tokens, a history."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.process import BEARER, ZONE, Server
from tests.ui.zone import Zone

PAGES = {
    "map": "/ui/",
    "zones": "/ui/zones",
    "zone": f"/ui/zones/{ZONE}",
    "history": f"/ui/zones/{ZONE}/history",
    "fleet": "/ui/fleet",
    "tokens": "/ui/tokens",
    "audit": "/ui/audit",
    "reference": "/ui/reference",
    "requests": "/ui/requests",
}
"""Every page, by a name for its pictures."""

# Vendor, region, origins of example.com and of shop.example.com.
ORIGINS = (
    ("aws", "us-east-1", 24, 9),
    ("aws", "us-west-2", 8, 0),
    ("aws", "eu-west-1", 12, 4),
    ("aws", "eu-central-1", 5, 0),
    ("aws", "ap-northeast-1", 3, 2),
    ("aws", "sa-east-1", 2, 0),
    ("azure", "eastus", 11, 3),
    ("azure", "australiaeast", 4, 0),
    ("gcp", "asia-southeast1", 7, 0),
    ("gcp", "us-central1", 0, 6),
    ("oci", "ap-mumbai-1", 2, 1),
)

# Name, colo, revisions behind, what it serves, problem.
NODES = (
    ("ams-1", "AMS", 0, "nginx", ""),
    ("fra-1", "FRA", 0, "nginx", ""),
    ("iad-1", "IAD", 0, "haproxy", ""),
    ("iad-2", "IAD", 3, "haproxy", "haproxy -c: [ALERT] cannot resolve 'origin.example.com'"),
    ("nrt-1", "NRT", 0, "varnish", ""),
    ("sin-1", "SIN", 1, "nginx", ""),
)


@contextmanager
def started(folder: Path) -> Iterator[Server]:
    """The server, running."""
    with Server(":memory:", folder, args=["--rate-limit", "off"]) as server:
        with httpx.Client(base_url=server.url, headers=BEARER) as api:
            fill(api)
        yield server


def fill(api: httpx.Client) -> None:
    """Put everything in place."""
    zone, shop = Zone(api, ZONE, "example.com"), Zone.create(api, "shop.example.com")
    for number, (vendor, region, first, second) in enumerate(ORIGINS):
        zone.put({f"192.0.2.{number * 24 + at}": region for at in range(first)}, vendor)
        shop.put({f"198.51.100.{number * 24 + at}": region for at in range(second)}, vendor)
    zone.put({"192.0.2.0": "us-west-2"})
    for name, access in (("deploy", "write"), ("dashboard", "read")):
        send(api, "POST", "/originmap/v1/tokens", {"name": name, "access": access, "zones": []})
    states = {"states": {"MIA": "draining", "GRU": "down"}}
    send(api, "PATCH", "/originmap/v1/topology", states)
    send(api, "POST", "/originmap/v1/rollout", {"step": "hold"})
    report(api)
    zone.put({"192.0.2.1": "eu-west-1", "192.0.2.2": "eu-west-1"})
    send(api, "POST", "/originmap/v1/rollout", {"step": "start", "stages": "AMS,50%,100%"})
    report(api)


def report(api: httpx.Client) -> None:
    """Have every node report what it serves: those in AMS what is released, the others the revision
    at which nodes are held."""
    rollout = send(api, "GET", "/originmap/v1/rollout")
    for name, colo, behind, serves, problem in NODES:
        released = rollout["target"] if colo == "AMS" else None
        revision = (released or rollout["base"]) - behind
        body = {"revision": revision, "applied": revision, "colo": colo}
        body |= {"serves": serves, "problem": problem}
        send(api, "PUT", f"/originmap/v1/followers/{name}", body)


def send(api: httpx.Client, method: str, path: str, body: object = None) -> dict[str, Any]:
    """The result of a request that must succeed."""
    answer = api.request(method, path, json=body)
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()["result"]
    return result

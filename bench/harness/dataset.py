"""The mappings on every server during a run, and the requests.

This module has the requests; load.py sends them. All servers get the same requests: addresses from
198.18.0.0/15, the range that RFC 2544 reserves for benchmarks.
"""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass

TOKEN = "Sn3lZJTBX6kkg7OdcBUAxOO963GEIyGQqnFTOFYY"
ZONE = "023e105f4ecef8ad9ca31a8372d0c353"

# A full zone: every page and every batch is full, and a PUT only ever replaces.
ZONE_SIZE = 3_500
BATCH_SIZE = 100
PAGE_SIZE = 100

VENDOR = "aws"
REGIONS = (
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ca-central-1",
    "sa-east-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-central-1",
    "eu-north-1",
    "eu-south-1",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "me-south-1",
    "af-south-1",
)


@dataclass(frozen=True)
class Request:
    """An HTTP request of the load generator; `body` may be empty."""

    method: str
    path: str
    body: str = ""


def address(index: int) -> str:
    """The origin IP with number `index` of the zone."""
    return f"198.{18 + (index >> 16)}.{index >> 8 & 255}.{index & 255}"


def region_pair(run: int) -> tuple[str, str]:
    """Two regions for the writes of run number `run`.

    Consecutive runs have different regions, so that every write changes something: an identical PUT
    would be measured as a read.
    """
    first = run * 2 % len(REGIONS)
    return REGIONS[first], REGIONS[first + 1]


def mappings_path(zone: str = ZONE) -> str:
    """The path of a zone's mappings."""
    return f"/client/v4/zones/{zone}/origin/cloud_regions"


def get_one() -> list[Request]:
    """Every mapping of the zone once, in a shuffled order."""
    return [Request("GET", f"{mappings_path()}/{ip}") for ip in _shuffled()]


def put_one(run: int) -> list[Request]:
    """Every mapping of the zone to one region, then every mapping to the other."""
    return [put_request(ZONE, ip, region) for region in region_pair(run) for ip in _shuffled()]


def put_batch(run: int) -> list[Request]:
    """The whole zone in batches to one region, then in batches to the other."""
    ips = _shuffled()
    batches = [ips[at : at + BATCH_SIZE] for at in range(0, len(ips), BATCH_SIZE)]
    return [batch_request(ZONE, batch, region) for region in region_pair(run) for batch in batches]


def list_pages() -> list[Request]:
    """Every page of the zone once."""
    pages = ZONE_SIZE // PAGE_SIZE
    return [
        Request("GET", f"{mappings_path()}?page={page}&per_page={PAGE_SIZE}")
        for page in range(1, pages + 1)
    ]


def fill() -> list[Request]:
    """The requests that create all mappings of the zone."""
    return put_batch(0)[: ZONE_SIZE // BATCH_SIZE]


def put_request(zone: str, ip: str, region: str) -> Request:
    """One PUT of one mapping."""
    return Request("PUT", f"{mappings_path(zone)}/{ip}", _json(_item(ip, region)))


def batch_request(zone: str, ips: Sequence[str], region: str) -> Request:
    """One batch PUT that maps all of `ips` to the same region."""
    items = [_item(ip, region) for ip in ips]
    return Request("PUT", f"{mappings_path(zone)}/batch", _json(items))


def read_back(write: Request) -> Request:
    """A GET of the mapping that a PUT, or the first item of a batch, has written."""
    body = json.loads(write.body)
    if isinstance(body, list):
        return Request("GET", write.path.removesuffix("batch") + body[0]["origin_ip"])
    return Request("GET", write.path)


def _item(ip: str, region: str) -> dict[str, str]:
    return {"origin_ip": ip, "vendor": VENDOR, "region": region}


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _shuffled() -> list[str]:
    ips = [address(index) for index in range(ZONE_SIZE)]
    random.Random(ZONE).shuffle(ips)
    return ips

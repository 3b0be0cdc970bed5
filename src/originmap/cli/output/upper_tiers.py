"""The upper tiers of a plan: from a file, or from the server itself if it is an Originmap."""

import datetime
from pathlib import Path

import msgspec

from originmap import data
from originmap.cli.topology_file import read_topology
from originmap.client.connection import APIConnection
from originmap.client.errors import ClientError
from originmap.domain.tier.latency import Latencies, Measurement, fresh
from originmap.domain.tier.tier import Tiers
from originmap.domain.tier.topology_problems import check
from originmap.service.tier.topology_json import TopologyJSON, topology_of
from originmap.settings import CLOUDFLARE_API

_V4 = "/client/v4"
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


class _MeasurementJSON(msgspec.Struct):
    colo: str
    vendor: str
    region: str
    milliseconds: float
    measured_on: datetime.datetime


def tiers_of_file(file: Path) -> Tiers:
    """The tiers of a topology in a file. Raises InvalidTopology."""
    return Tiers(data.catalogue(), check(read_topology(file)), {})


def tiers_of_server(connection: APIConnection) -> Tiers | None:
    """The tiers that a server resolves with; None if it is not an Originmap or refuses."""
    base = connection.base_url
    if base == CLOUDFLARE_API or not base.endswith(_V4):
        return None
    own = base.removesuffix(_V4) + "/originmap/v1"
    try:
        answer = connection.ask("GET", f"{own}/topology")
        topology = topology_of(msgspec.json.decode(answer.result, type=TopologyJSON))
        answer = connection.ask("GET", f"{own}/latencies")
        measured = msgspec.json.decode(answer.result, type=list[_MeasurementJSON])
    except (ClientError, msgspec.MsgspecError, RecursionError):
        return None
    latencies = Latencies(tuple(_measurement(m) for m in measured))
    now = _microseconds(datetime.datetime.now(datetime.UTC))
    counting, _ = fresh(latencies, topology.latency_seconds, now)
    return Tiers(data.catalogue(), topology, counting)


def _measurement(m: _MeasurementJSON) -> Measurement:
    when = _microseconds(m.measured_on)
    return Measurement(m.colo, m.vendor, m.region, m.milliseconds, when)


def _microseconds(moment: datetime.datetime) -> int:
    return (moment - _EPOCH) // datetime.timedelta(microseconds=1)

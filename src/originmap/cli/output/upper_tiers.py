"""The upper tiers of a plan: from a file, or from the server itself if it is an Originmap."""

import datetime
from pathlib import Path

import msgspec

from originmap import data
from originmap.cli.topology_file import read_topology
from originmap.client.connection import APIConnection
from originmap.client.errors import ClientError
from originmap.client.native import native_base, own_regions
from originmap.domain.mapping.own_regions import OwnRegions, merged
from originmap.domain.tier.latency import Latencies, Measurement, fresh
from originmap.domain.tier.tier import Tiers
from originmap.domain.tier.topology_problems import check
from originmap.service.tier.topology_json import TopologyJSON, topology_of

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


class _MeasurementJSON(msgspec.Struct):
    colo: str
    vendor: str
    region: str
    milliseconds: float
    measured_on: datetime.datetime


def tiers_of_file(file: Path, own: OwnRegions) -> Tiers:
    """The tiers of a topology in a file. Raises InvalidTopology."""
    return Tiers(merged(data.catalogue(), own), check(read_topology(file)), {})


def tiers_of_server(connection: APIConnection) -> Tiers | None:
    """The tiers that a server resolves with; None if it is not an Originmap or refuses."""
    own = native_base(connection)
    if own is None:
        return None
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
    return Tiers(merged(data.catalogue(), own_regions(connection)), topology, counting)


def _measurement(m: _MeasurementJSON) -> Measurement:
    when = _microseconds(m.measured_on)
    return Measurement(m.colo, m.vendor, m.region, m.milliseconds, when)


def _microseconds(moment: datetime.datetime) -> int:
    return (moment - _EPOCH) // datetime.timedelta(microseconds=1)

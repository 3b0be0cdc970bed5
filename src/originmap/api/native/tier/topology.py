"""The topology: GET, PUT, PATCH /originmap/v1/topology, GET, PUT …/latencies."""

import msgspec

from originmap.api import envelope
from originmap.api.body import NOT_JSON
from originmap.api.http.request import Request
from originmap.api.http.response import Response
from originmap.api.native.arguments import arguments, read_large
from originmap.api.timestamps import parse_timestamp, timestamp
from originmap.domain.errors import InvalidLatencies, InvalidQuery, MalformedJSON
from originmap.domain.tier.latency import Latencies, Measurement
from originmap.domain.tier.topology import Topology
from originmap.service.tier.topology import Topologies
from originmap.service.tier.topology_json import (
    TopologyChangeJSON,
    TopologyJSON,
    cache_changes,
    topology_of,
)

LARGE_BODY = 4 << 20
"""Limit in bytes; 1,000 colos with 10,000 caches, and the measurements of 75 colos to each of 210
regions, have less than 2 MiB."""


class _MeasurementJSON(msgspec.Struct, forbid_unknown_fields=True):
    colo: str
    vendor: str
    region: str
    milliseconds: float
    measured_on: str


_TOPOLOGY = msgspec.json.Decoder(TopologyJSON)
_CHANGE = msgspec.json.Decoder(TopologyChangeJSON)
_MEASUREMENTS = msgspec.json.Decoder(list[msgspec.Raw])
_MEASUREMENT = msgspec.json.Decoder(_MeasurementJSON)


class TopologyItem:
    """GET, PUT, PATCH /originmap/v1/topology"""

    def __init__(self, topologies: Topologies) -> None:
        self._topologies = topologies
        self._written: tuple[Topology, bytes] | None = None

    async def get_topology(self, request: Request) -> Response:
        """The current topology, for any credential."""
        arguments(request, ())
        return Response(self._answer(self._topologies.current))

    async def set_topology(self, request: Request) -> Response:
        """Replace the topology; an error if no colo of the new one can be an upper tier."""
        turns = self._topologies.turns
        sent = await read_large(request, _TOPOLOGY, turns)
        topology = await turns.on_thread(topology_of, sent)
        changed = await self._topologies.set(topology, request.cause())
        return Response(envelope.success(changed))

    async def change_topology(self, request: Request) -> Response:
        """Change the states of some colos and some caches, all in one transaction."""
        sent = await read_large(request, _CHANGE, self._topologies.turns)
        if sent.states is None and sent.caches is None:
            raise InvalidQuery("states or caches are required")
        states, caches = sent.states or {}, cache_changes(sent.caches or {})
        changed = await self._topologies.change(states, caches, request.cause())
        return Response(envelope.success(changed))

    def _answer(self, current: Topology) -> bytes:
        """Encode the topology once and cache it: a large one takes a millisecond."""
        if self._written is None or self._written[0] is not current:
            self._written = current, envelope.success(current)
        return self._written[1]


class LatencySet:
    """GET, PUT /originmap/v1/latencies"""

    def __init__(self, topologies: Topologies) -> None:
        self._topologies = topologies

    async def get_latencies(self, request: Request) -> Response:
        """Every measurement, including expired ones."""
        arguments(request, ())
        return Response(envelope.success(await self._json(self._topologies.latencies)))

    async def set_latencies(self, request: Request) -> Response:
        """Replace all measurements."""
        turns = self._topologies.turns
        sent = await read_large(request, _MEASUREMENTS, turns)
        measured = list[Measurement]()
        async for piece in turns.pieces(sent):
            measured += [_read_measurement(len(measured) + i, m) for i, m in enumerate(piece)]
        cause = request.cause()
        latencies = await self._topologies.set_latencies(measured, cause)
        return Response(envelope.success(await self._json(latencies)))

    async def _json(self, latencies: Latencies) -> list[msgspec.Raw]:
        found = list[msgspec.Raw]()
        async for piece in self._topologies.turns.pieces(latencies.measurements):
            found += [envelope.raw(_measurement_json(m)) for m in piece]
        await self._topologies.turns.next()
        return found


def _measurement_json(m: Measurement) -> _MeasurementJSON:
    on = timestamp(m.measured_on)
    return _MeasurementJSON(m.colo, m.vendor, m.region, m.milliseconds, on)


def _read_measurement(index: int, sent: msgspec.Raw) -> Measurement:
    try:
        m = _MEASUREMENT.decode(sent)
    except msgspec.ValidationError as error:
        problem, _, member = str(error).partition(" - at `$")
        raise InvalidQuery(f"{problem} - at `$[{index}]{member or '`'}") from None
    except NOT_JSON:
        raise MalformedJSON from None
    try:
        measured_on = parse_timestamp(m.measured_on)
    except ValueError:
        raise InvalidLatencies([f"measurement {index}: measured_on must be RFC 3339"]) from None
    return Measurement(m.colo, m.vendor, m.region, m.milliseconds, measured_on)

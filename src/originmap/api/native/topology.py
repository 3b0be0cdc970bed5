"""The operator's colos: GET, PUT, PATCH /originmap/v1/topology, GET, PUT …/latencies."""

from typing import Any

import msgspec
from falcon.asgi import Request, Response

from originmap.api import envelope
from originmap.api.auth import Guard
from originmap.api.native.arguments import arguments, read_as
from originmap.api.request import info_of
from originmap.api.timestamps import parse_timestamp, timestamp
from originmap.domain.errors import InvalidLatencies, InvalidTopology
from originmap.domain.latency import Measurement
from originmap.domain.topology import Colo, ColoState, Topology
from originmap.service.topology import Topologies


class ColoJSON(msgspec.Struct, forbid_unknown_fields=True):
    """A colo as it is sent and answered."""

    code: str
    city: str
    country: str
    latitude: float
    longitude: float
    eligible: bool = True
    state: ColoState = ColoState.ACTIVE
    successor: str | None = None


class TopologyJSON(msgspec.Struct, forbid_unknown_fields=True):
    """A topology as it is sent and answered."""

    colos: list[ColoJSON]
    overrides: dict[str, list[str]] = {}
    apart_km: float = 150.0
    fallbacks: int = 1
    latency_seconds: int = 7 * 24 * 3600


class StatesJSON(msgspec.Struct, forbid_unknown_fields=True):
    """Other states for some colos, by code."""

    states: dict[str, ColoState]


class _MeasurementJSON(msgspec.Struct, forbid_unknown_fields=True):
    colo: str
    vendor: str
    region: str
    milliseconds: float
    measured_on: str


_TOPOLOGY = msgspec.json.Decoder(TopologyJSON)
_STATES = msgspec.json.Decoder(StatesJSON)
_MEASUREMENTS = msgspec.json.Decoder(list[_MeasurementJSON])


class TopologyItem:
    """GET, PUT, PATCH /originmap/v1/topology"""

    def __init__(self, guard: Guard, topologies: Topologies) -> None:
        self._guard = guard
        self._topologies = topologies

    async def on_get(self, req: Request, resp: Response) -> None:
        """The topology in force, for whoever has a credential."""
        self._guard.caller(req)
        arguments(req, ())
        resp.data = envelope.success(topology_json(self._topologies.current))

    async def on_put(self, req: Request, resp: Response) -> None:
        """Replace it; one in which nothing can be an upper tier is refused."""
        self._guard.access.operator(self._guard.caller(req))
        topology = read_topology(await read_as(req, _TOPOLOGY))
        changed = await self._topologies.set(topology, info_of(req.scope).cause())
        resp.data = envelope.success(topology_json(changed))

    async def on_patch(self, req: Request, resp: Response) -> None:
        """Give some colos other states."""
        self._guard.access.operator(self._guard.caller(req))
        states = (await read_as(req, _STATES)).states
        changed = await self._topologies.set_states(states, info_of(req.scope).cause())
        resp.data = envelope.success(topology_json(changed))


class LatencySet:
    """GET, PUT /originmap/v1/latencies"""

    def __init__(self, guard: Guard, topologies: Topologies) -> None:
        self._guard = guard
        self._topologies = topologies

    async def on_get(self, req: Request, resp: Response) -> None:
        """Every measurement, those that count no more included."""
        self._guard.caller(req)
        arguments(req, ())
        measured = self._topologies.latencies.measurements
        resp.data = envelope.success([_measurement_json(m) for m in measured])

    async def on_put(self, req: Request, resp: Response) -> None:
        """Replace them all."""
        self._guard.access.operator(self._guard.caller(req))
        sent = await read_as(req, _MEASUREMENTS)
        measured = [_read_measurement(index, m) for index, m in enumerate(sent)]
        cause = info_of(req.scope).cause()
        latencies = await self._topologies.set_latencies(measured, cause)
        resp.data = envelope.success([_measurement_json(m) for m in latencies.measurements])


def read_topology(sent: TopologyJSON) -> Topology:
    """The topology that was sent; whether it makes sense is checked when it is set."""
    if not sent.colos:
        raise InvalidTopology(["no colo can be an upper tier: there is none"])
    return Topology(
        colos=tuple(
            Colo(
                colo.code, colo.city, colo.country, colo.latitude, colo.longitude,
                colo.eligible, colo.state, colo.successor,
            )
            for colo in sent.colos
        ),
        overrides={region: tuple(codes) for region, codes in sent.overrides.items()},
        apart_km=sent.apart_km,
        fallbacks=sent.fallbacks,
        latency_seconds=sent.latency_seconds,
    )  # fmt: skip


def topology_json(topology: Topology) -> dict[str, Any]:
    """How a topology is answered; `read_topology` takes it back unchanged."""
    members = msgspec.to_builtins(topology)
    assert isinstance(members, dict)
    return members


def _measurement_json(m: Measurement) -> dict[str, Any]:
    return {
        "colo": m.colo,
        "vendor": m.vendor,
        "region": m.region,
        "milliseconds": m.milliseconds,
        "measured_on": timestamp(m.measured_on),
    }


def _read_measurement(index: int, m: _MeasurementJSON) -> Measurement:
    try:
        measured_on = parse_timestamp(m.measured_on)
    except ValueError:
        raise InvalidLatencies([f"measurement {index}: measured_on must be RFC 3339"]) from None
    return Measurement(m.colo, m.vendor, m.region, m.milliseconds, measured_on)

"""The routes that tests control the server with: /originmap/dev/v1/…

Only `originmap dev` has them. Their credential is the well-known token, whatever the state of the
server: a state without tokens can be replaced too.
"""

import hmac
from collections.abc import Callable
from typing import Any

from originmap.api import envelope
from originmap.api.guard import Guard, bearer_of
from originmap.api.http.request import Request
from originmap.api.http.response import Response
from originmap.api.http.router import Route
from originmap.api.native.arguments import arguments, number
from originmap.api.timestamps import parse_timestamp, timestamp
from originmap.conformance.fact import STRENGTHS
from originmap.dev.basis import NOT_SERVED
from originmap.dev.fault_json import fault_json, read_fault
from originmap.dev.instruments import Instruments
from originmap.dev.journal import shown
from originmap.dev.members import Members, read_members
from originmap.dev.operations import all_operations
from originmap.dev.states import States
from originmap.domain.access.errors import MissingCredentials, UnknownToken
from originmap.domain.errors import InvalidQuery
from originmap.service.initial_data import DEV_ID, DEV_TOKEN

BASE = "/originmap/dev/v1"
MOST_STATE_BYTES = 256 << 20
LONGEST_WAIT = 60.0
LONGEST_ADVANCE = 100 * 366 * 86_400.0
_MOST_ENTRIES = 10_000


class ControlRoutes:
    """Everything that tests can control."""

    def __init__(
        self,
        guard: Guard,
        states: States,
        instruments: Instruments,
        stop: Callable[[], None],
    ) -> None:
        """`stop` stops the server."""
        self._guard = guard
        self._states = states
        self._clock, self._faults, self._journal, self._strictness = instruments
        self._stop = stop
        self._initially_strict = self._strictness.on

    def routes(self) -> list[Route]:
        """The table of routes."""
        table: tuple[tuple[str, str, Callable[[Request], Any]], ...] = (
            ("POST", "/reset", self.reset),
            ("GET", "/state", self.get_state),
            ("PUT", "/state", self.put_state),
            ("GET", "/mappings", self.get_mappings),
            ("GET", "/faults", self.list_faults),
            ("POST", "/faults", self.add_fault),
            ("DELETE", "/faults", self.delete_faults),
            ("GET", "/clock", self.get_clock),
            ("PUT", "/clock", self.set_clock),
            ("GET", "/requests", self.list_requests),
            ("DELETE", "/requests", self.delete_requests),
            ("GET", "/fidelity", self.get_fidelity),
            ("GET", "/strict", self.get_strict),
            ("PUT", "/strict", self.set_strict),
            ("POST", "/stop", self.stop),
        )
        return [
            Route(method, BASE + path, admit, handle, max_body=MOST_STATE_BYTES)
            for method, path, handle in table
        ]

    async def reset(self, request: Request) -> Response:
        """Return to the initial state: no faults, no requests, the machine's time."""
        arguments(request, ())
        self._faults.clear()
        self._clock.run()
        await self._states.reset()
        self._strictness.on = self._initially_strict
        self._strictness.counts.clear()
        self._guard.reset_rate_limits()
        self._journal.clear()
        return _done()

    async def get_state(self, request: Request) -> Response:
        """The state as JSON, without an envelope."""
        arguments(request, ())
        return Response(await self._states.save())

    async def put_state(self, request: Request) -> Response:
        """Replace everything by a state."""
        arguments(request, ())
        await self._states.load(request.body)
        return _done()

    async def get_mappings(self, request: Request) -> Response:
        """The mappings of a zone, in one answer."""
        zone_id = arguments(request, {"zone_id"}).get("zone_id", [DEV_ID])[-1]
        return Response(envelope.success(await self._states.mappings(zone_id)))

    def list_faults(self, request: Request) -> Response:
        """The faults that are waiting for requests."""
        arguments(request, ())
        return Response(envelope.success([fault_json(fault) for fault in self._faults.waiting]))

    def add_fault(self, request: Request) -> Response:
        """Add a fault."""
        arguments(request, ())
        return Response(envelope.success(fault_json(self._faults.add(read_fault(request.body)))))

    def delete_faults(self, request: Request) -> Response:
        """Remove all faults."""
        arguments(request, ())
        self._faults.clear()
        return _done()

    def get_clock(self, request: Request) -> Response:
        """The time, and whether it stands still."""
        arguments(request, ())
        return self._clock_response()

    async def set_clock(self, request: Request) -> Response:
        """Freeze or advance the clock, or let it run with the machine's again."""
        arguments(request, ())
        before = self._clock.now()
        self._move(read_members(request.body, {"freeze", "advance_seconds", "run"}))
        now = self._clock.now()
        if now < before:
            self._guard.reset_rate_limits()
            await self._states.rewind(now)
        return self._clock_response()

    def _move(self, members: Members) -> None:
        if len(members.names) != 1:
            raise InvalidQuery("give one of freeze, advance_seconds and run")
        if "freeze" in members.names:
            text = members.text("freeze")
            try:
                moment = parse_timestamp(text)
            except ValueError:
                must = "must be a time like 2026-03-01T12:00:00Z"
                raise InvalidQuery(f"freeze {must}, not {text!r}") from None
            self._clock.freeze(moment)
        elif "advance_seconds" in members.names:
            seconds = members.number("advance_seconds", 0, LONGEST_ADVANCE)
            self._clock.advance(round(seconds * 1_000_000))
        elif members.flag("run"):
            self._clock.run()

    def _clock_response(self) -> Response:
        now = timestamp(self._clock.now())
        return Response(envelope.success({"now": now, "frozen": self._clock.frozen}))

    async def list_requests(self, request: Request) -> Response:
        """The requests of the journal; with `wait`, once there are `count` of them."""
        given = arguments(request, {"operation", "after", "count", "wait"})
        operation = given.get("operation", [None])[-1]
        if operation is not None:
            operation = all_operations().named(operation, ours=True).name
        after = number(given, "after", 0, 0, 1 << 53)
        count = number(given, "count", 1, 1, _MOST_ENTRIES)
        seconds = number(given, "wait", 0, 0, int(LONGEST_WAIT))
        if seconds:
            await self._journal.wait(operation, after, count, seconds)
        found = self._journal.entries(operation, after)
        result = [shown(number, entry) for number, entry in found]
        return Response(envelope.success({"last": self._journal.last, "requests": result}))

    def delete_requests(self, request: Request) -> Response:
        """Clear the journal."""
        arguments(request, ())
        self._journal.clear()
        return _done()

    def get_fidelity(self, request: Request) -> Response:
        """What the responses since the last reset rest on."""
        arguments(request, ())
        totals = self._journal.totals
        strengths = totals.strengths
        result = {
            "responses": {name: strengths[name] for name in (*STRENGTHS, NOT_SERVED)},
            "facts": dict(sorted(totals.facts.items())),
            "not_served": dict(sorted(totals.not_served.items())),
        }
        return Response(envelope.success(result))

    def get_strict(self, request: Request) -> Response:
        """Whether requests are checked strictly, and the problems that were found."""
        arguments(request, ())
        return self._strict_response()

    def set_strict(self, request: Request) -> Response:
        """Turn strict checks on or off."""
        arguments(request, ())
        self._strictness.on = read_members(request.body, {"on"}).flag("on")
        return self._strict_response()

    def _strict_response(self) -> Response:
        found = dict(sorted(self._strictness.counts.items()))
        return Response(envelope.success({"on": self._strictness.on, "problems": found}))

    def stop(self, request: Request) -> Response:
        """Stop the server, once this response is sent."""
        arguments(request, ())
        self._stop()
        return _done()


def admit(request: Request) -> None:
    """Admit the well-known token. Raises MissingCredentials, MalformedCredentials, UnknownToken."""
    header = request.header(b"authorization")
    if header is None:
        raise MissingCredentials("any")
    if not hmac.compare_digest(bearer_of(header), DEV_TOKEN.encode()):
        raise UnknownToken


def _done() -> Response:
    return Response(envelope.success(None))

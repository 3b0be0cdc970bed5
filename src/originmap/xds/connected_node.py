"""A connected node: its stream, with its transport, its resources and its reports."""

import asyncio
import contextlib
import logging
import time
from typing import Any

import grpc

from originmap.domain.access.errors import Forbidden, UnknownToken
from originmap.domain.access.permissions import READ_STATE
from originmap.domain.errors import InvalidQuery, OriginmapError
from originmap.domain.rollout.rollout import allowed
from originmap.service.access.directory import Caller
from originmap.service.feed.followers import MAX_PROBLEM, REPORT_SECONDS, Report
from originmap.xds.group import ResourceGroup, ResourceSelection, zones_of
from originmap.xds.resources import Resource
from originmap.xds.services import XDSServices
from originmap.xds.stream import Push, ResourceStream
from originmap.xds.wire import Wire, XDSNode

_LOG = logging.getLogger(__name__)
_LARGE = 1 << 20
_WRITE_SECONDS = 120.0
"""How long a client may take to read a response."""


class ConnectedNode:
    """Serves one stream."""

    def __init__(
        self, node: XDSNode, caller: Caller, address: str, wire: Wire, services: XDSServices
    ) -> None:
        """Raises Forbidden if the caller cannot read a zone that the node names."""
        self._node = node
        self._caller = caller
        self._address = address
        self._wire = wire
        self._services = services
        self._stream = ResourceStream(incremental=wire.incremental)
        self._wake = asyncio.Event()
        self._failure: OriginmapError | None = None
        self._done = False
        self._found: dict[str, dict[str, Resource]] | None = None
        self._revision: int | None = None
        self._applied: int | None = None
        self._group_problem = ""
        self._reported: Report | None = None
        self._report_at = 0.0
        self._zones: tuple[int, tuple[str, ...]] | None = None
        for name in dict.fromkeys(node.zones):
            zone_id = services.directory.zone_id(name)
            if caller.token is not None:
                services.access.zone(caller, READ_STATE, zone_id)
            elif services.directory.zone(zone_id) is None:
                raise Forbidden(f"no zone {name}")

    # As a member of `ResourceGroups`

    @property
    def selection(self) -> ResourceSelection:
        """What determines the resources now."""
        store, node = self._services.store, self._node
        at = allowed(self._services.rollouts.current, node.name, node.colo or "")
        held = at if at is not None and at < store.revision else None
        return ResourceSelection(node.colo, self._readable(), node.upstreams, held)

    def use(self, group: ResourceGroup) -> None:
        """Use the resources that the group has now."""
        if group.revision is not None:
            self._found = group.found(incremental=self._wire.incremental)
            self._revision = group.revision
        self._group_problem = group.problem
        self._wake.set()

    def _readable(self) -> tuple[str, ...]:
        """The zones of the node, which change only with a record."""
        services, count = self._services, self._services.groups.record_changes
        if self._zones is None or self._zones[0] != count:
            zones = services.access.readable_zones(self._caller, READ_STATE)
            if self._node.zones:
                named = {services.directory.zone_id(name) for name in self._node.zones}
                zones = [zone for zone in zones if zone.id in named]
            self._zones = count, zones_of(zones)
        return self._zones[1]

    # The stream

    async def serve(self, first: Any, context: Any) -> None:
        """Serve until the client leaves. Raises OriginmapError."""
        self._note(first)
        leave = self._services.groups.join(self)
        session = None
        if self._caller.token is not None:
            session = self._services.sessions.open(self._caller, self._end)
        reading = asyncio.create_task(self._read(context))
        try:
            while not self._done:
                self._wake.clear()
                if self._failure is not None:
                    raise self._failure
                await self._push(context)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._pause()):
                        await self._wake.wait()
        finally:
            reading.cancel()
            leave()
            if session is not None:
                session.close()

    async def _read(self, context: Any) -> None:
        try:
            while (request := await context.read()) is not grpc.aio.EOF:
                self._note(request)
            self._done = True
        except OriginmapError as error:
            self._failure = error
        except grpc.RpcError:
            self._done = True
        finally:
            self._wake.set()

    def _note(self, request: Any) -> None:
        stream = self._stream
        rejections = stream.rejections
        asked = self._wire.read(request, stream)
        stream.note(asked, time.monotonic())
        if stream.rejections != rejections:
            self._services.counts.rejections += 1
            data = {"node": self._node.name, "type": asked.type_url, "why": asked.error}
            _LOG.warning("node rejected resources", extra={"data": data})
        self._wake.set()

    def _end(self) -> None:
        """End the stream: the token was revoked or changed, or expired."""
        self._failure = UnknownToken("the token was revoked, changed or has expired")
        self._wake.set()

    @property
    def _over(self) -> bool:
        return self._done or self._failure is not None

    async def _push(self, context: Any) -> None:
        """Send what is due, and report."""
        while self._found is not None and not self._over:
            response = self._stream.next(self._found, time.monotonic())
            if response is None:
                break
            await self._write(context, response)
        self._report()

    async def _write(self, context: Any, response: Push) -> None:
        size = sum(len(resource.content) for resource in response.changed.values())
        turn = self._services.groups.large if size > _LARGE else contextlib.nullcontext()
        try:
            async with turn, asyncio.timeout(_WRITE_SECONDS):
                if self._over:  # since it waits for its turn
                    return
                await context.write(self._wire.write(response))
                # It is in memory until the client has read it.
                while size > _LARGE and self._stream.awaits(response) and not self._over:
                    self._wake.clear()
                    await self._wake.wait()
        except TimeoutError:
            raise InvalidQuery(f"a response was not read within {_WRITE_SECONDS:.0f} s") from None
        counts = self._services.counts
        counts.resources += len(response.changed)

    # Reports

    def _report(self) -> None:
        found, stream = self._found, self._stream
        if found is not None and not stream.problem and stream.in_step(found):
            self._applied = self._revision
        problem = "; ".join(each for each in (self._group_problem, stream.problem) if each)
        protocol = "incremental xDS" if self._wire.incremental else "xDS"
        serves = f"envoy by {protocol}" + (f" in {self._node.colo}" if self._node.colo else "")
        report = Report(
            self._revision or 0,
            serves,
            self._applied,
            problem[:MAX_PROBLEM],
            self._node.colo or "",
        )
        now = time.monotonic()
        if report != self._reported or now >= self._report_at:
            reports, node = self._services.reports, self._node
            reports.reported(node.name, self._caller.id, self._address, report)
            self._reported, self._report_at = report, now + REPORT_SECONDS

    def _pause(self) -> float:
        """Seconds until there may be more to do without an event."""
        now = time.monotonic()
        due = max(self._report_at - now, 0.0)
        drained = self._stream.wait(now)
        return due if drained is None else min(due, drained)

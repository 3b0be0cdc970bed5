"""GET /metrics: the numbers of this server, in the form of Prometheus.

What writes that form is loaded when it is asked for first: a server that nobody monitors starts
without it.
"""

import asyncio
from collections.abc import Mapping

from originmap.api.http.request import Request
from originmap.api.http.response import Response
from originmap.api.traffic import Answered, RequestTally, Traffic
from originmap.service.vitals import Monitor, Vitals


class Metrics:
    """For anybody, as monitoring expects it: it is numbers, and names nothing that is stored."""

    def __init__(self, traffic: Traffic, monitor: Monitor) -> None:
        self._traffic = traffic
        self._monitor = monitor

    async def get_metrics(self, request: Request) -> Response:
        """The numbers of now, in the version of the form that is asked for."""
        vitals = await self._monitor.vitals()
        accept = request.header(b"accept") or ""
        # On a thread: loading takes tens of milliseconds, and writing some of them.
        kind, body = await asyncio.to_thread(_expose, self._traffic.tallies, vitals, accept)
        return Response(body, content_type=kind)


def _expose(
    tallies: Mapping[Answered, RequestTally], vitals: Vitals, accept: str
) -> tuple[str, bytes]:
    from originmap.api.native.exposition import expose

    return expose(tallies, vitals, accept)

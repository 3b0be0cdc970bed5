"""GET /metrics: the metrics of this server in the Prometheus format.

prometheus_client is imported with the first request, because many servers are not monitored.
"""

import asyncio
from collections.abc import Mapping

from originmap.api.http.request import Request
from originmap.api.http.response import Response
from originmap.api.traffic import Answered, RequestTally, Traffic
from originmap.service.vitals import Monitor, Vitals


class Metrics:
    """GET /metrics, without a credential, as monitoring systems expect: it has no stored data."""

    def __init__(self, traffic: Traffic, monitor: Monitor) -> None:
        self._traffic = traffic
        self._monitor = monitor
        self._formatting = asyncio.Lock()

    async def get_metrics(self, request: Request) -> Response:
        """The current metrics, in the requested version of the format."""
        vitals = await self._monitor.vitals()
        accept = request.header(b"accept") or ""
        # In a thread: the import takes tens of milliseconds, and formatting some. In one at a time,
        # because several keep the event loop from running.
        async with self._formatting:
            kind, body = await asyncio.to_thread(_expose, self._traffic.tallies, vitals, accept)
        return Response(body, content_type=kind)


def _expose(
    tallies: Mapping[Answered, RequestTally], vitals: Vitals, accept: str
) -> tuple[str, bytes]:
    from originmap.api.native.exposition import expose

    return expose(tallies, vitals, accept)

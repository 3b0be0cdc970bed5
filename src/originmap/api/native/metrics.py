"""GET /metrics: the numbers of this server, in the form of Prometheus.

What writes that form is loaded when it is asked for first: a server that nobody monitors starts
without it.
"""

import asyncio
from collections.abc import Mapping

from falcon.asgi import Request, Response

from originmap.api.traffic import Answered, Tally, Traffic
from originmap.service.vitals import Monitor, Vitals


class Metrics:
    """For anybody, as monitoring expects it: it is numbers, and names nothing that is stored."""

    def __init__(self, traffic: Traffic, monitor: Monitor) -> None:
        self._traffic = traffic
        self._monitor = monitor

    async def on_get(self, req: Request, resp: Response) -> None:
        """The numbers of now, in the version of the form that is asked for."""
        vitals = await self._monitor.vitals()
        accept = req.get_header("accept") or ""
        # On a thread: loading takes tens of milliseconds, and writing some of them.
        resp.content_type, resp.data = await asyncio.to_thread(
            _expose, self._traffic.tallies, vitals, accept
        )


def _expose(tallies: Mapping[Answered, Tally], vitals: Vitals, accept: str) -> tuple[str, bytes]:
    from originmap.api.native.exposition import expose

    return expose(tallies, vitals, accept)

"""Passes reports of nodes on to the primary, which has the list of followers that rollouts use.

The nodes are connected to this server; for the primary, this server's credential reports for them.
"""

import asyncio
import logging

from originmap.domain.errors import FeedError
from originmap.edge.follow.source import FeedSource
from originmap.service.feed.followers import Followers, Report

_LOG = logging.getLogger(__name__)
_LONGEST_PAUSE = 30.0


class ReportRelay:
    """Sends the last report of each node; earlier ones that wait are dropped."""

    def __init__(self, followers: Followers, source: FeedSource) -> None:
        """`followers` is the list of this server, which gets the reports too."""
        self._followers = followers
        self._source = source
        self._waiting: dict[str, Report] = {}
        self._news = asyncio.Event()

    def reported(self, name: str, credential: str, client: str, report: Report) -> None:
        """Take a report; see `Followers.reported`."""
        self._followers.reported(name, credential, client, report)
        self._waiting[name] = report
        self._news.set()

    async def run(self) -> None:
        """Send reports until cancelled."""
        pause = 0.0
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self._send_all()
                pause = 0.0
            except FeedError as error:
                if not pause:
                    _LOG.warning("cannot report", extra={"data": {"why": str(error)}})
                pause = min(max(2 * pause, 1.0), _LONGEST_PAUSE)
                self._news.set()
            await asyncio.sleep(pause)

    async def _send_all(self) -> None:
        while self._waiting:
            name = next(iter(self._waiting))
            report = self._waiting.pop(name)
            try:
                await self._source.report(report, name)
            except FeedError:
                self._waiting.setdefault(name, report)
                raise

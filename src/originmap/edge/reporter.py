"""Tells the primary what this node serves, so that its list of followers shows it.

Whether that works changes nothing here; that the primary is gone the follower says already. The
primary keeps the list in memory, so it is told from time to time without any news.
"""

import asyncio
import contextlib

from originmap.domain.errors import FeedError
from originmap.edge.feed_client import FeedClient
from originmap.service.followers import MAX_PROBLEM, REPORT_SECONDS, Report
from originmap.store.port import Store


class Reporter:
    """Reports for one node."""

    def __init__(self, store: Store, client: FeedClient, serves: str, colo: str) -> None:
        self._store = store
        self._client = client
        self._serves = serves
        self._colo = colo
        self._applied: int | None = None
        self._problem = ""
        self._news = asyncio.Event()

    def note(self, applied: int | None, problem: str) -> None:
        """This is how it stands."""
        if (applied, problem) != (self._applied, self._problem):
            self._applied, self._problem = applied, problem
            self._news.set()

    async def run(self) -> None:
        """Report until cancelled."""
        while True:
            self._news.clear()
            with contextlib.suppress(FeedError):
                await self.send()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REPORT_SECONDS):
                    await self._news.wait()

    async def send(self) -> None:
        """Report now. Raises FeedError."""
        problem = self._problem[:MAX_PROBLEM]
        report = Report(self._store.revision, self._serves, self._applied, problem, self._colo)
        await self._client.report(report)

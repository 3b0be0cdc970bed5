"""Reports this node's state to the primary, for its list of followers.

A failed report has no effect on the node, and the follower already logs an unreachable primary.
The primary keeps the list in memory, so reports are repeated at intervals.
"""

import asyncio
import contextlib
import logging

from originmap.domain.errors import FeedError, PrimaryRefused
from originmap.edge.follow.source import FeedSource
from originmap.service.feed.followers import MAX_PROBLEM, REPORT_SECONDS, Report
from originmap.store.port import Store

_LOG = logging.getLogger(__name__)


class Reporter:
    """Reports for one node."""

    def __init__(self, store: Store, client: FeedSource, serves: str, colo: str) -> None:
        self._store = store
        self._client = client
        self._serves = serves
        self._colo = colo
        self._applied: int | None = None
        self._problem = ""
        self._refused = ""
        self._news = asyncio.Event()

    def note(self, applied: int | None, problem: str) -> None:
        """Set the state to report; a change is reported at once."""
        if (applied, problem) != (self._applied, self._problem):
            self._applied, self._problem = applied, problem
            self._news.set()

    async def run(self) -> None:
        """Report until cancelled."""
        while True:
            self._news.clear()
            try:
                await self.send()
                self._refused = ""
            except PrimaryRefused as error:
                self._note_refusal(error)
            except FeedError:
                pass  # the follower logs it
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REPORT_SECONDS):
                    await self._news.wait()

    def _note_refusal(self, error: PrimaryRefused) -> None:
        if str(error) != self._refused:
            self._refused = str(error)
            _LOG.warning("cannot report", extra={"data": {"why": str(error)}})

    async def send(self) -> None:
        """Send a report now. Raises FeedError."""
        problem = self._problem[:MAX_PROBLEM]
        report = Report(self._store.revision, self._serves, self._applied, problem, self._colo)
        await self._client.report(report)

"""Keeps the caches of one node up to date with its replica.

On any failure a cache keeps its last good files. The agent retries with the next change and after
a back-off.
"""

import asyncio
import contextlib
import logging
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from originmap.domain.errors import OriginmapError
from originmap.edge.pace import Pace, Situation
from originmap.edge.renderer import Rendered, Renderer
from originmap.edge.switch import new_of
from originmap.edge.target import ApplyOutcome, Target
from originmap.export.format import File
from originmap.export.node import Node
from originmap.store.clock import Now
from originmap.store.port import Store

_LOG = logging.getLogger(__name__)

Listener = Callable[[int | None, str], None]
"""Called with the revision that all caches serve, if known, and the current problem or ""."""
Seconds = Callable[[], float]
Pinned = Callable[[], int | None]
"""The revision that a rollout holds the node at; None without a rollout."""


class Agent:
    """Updates the caches when an update is due."""

    def __init__(
        self,
        store: Store,
        renderer: Renderer,
        targets: Sequence[Target],
        pace: Pace,
        listener: Listener,
        pinned: Pinned,
        now: Now,
        seconds: Seconds,
    ) -> None:
        """`now` is the wall clock; `seconds` is a monotonic clock."""
        self._store = store
        self._renderer = renderer
        self._targets = targets
        self._pace = pace
        self._listener = listener
        self._pinned = pinned
        self.rendered: Rendered | None = None
        """The last rendered files; None while the next ones are rendered."""
        self._now = now
        self._seconds = seconds
        self._situation = Situation(compared=seconds())
        self._compare_requested = True  # the first update compares too
        self._stopping = False
        self._wake = asyncio.Event()
        self.problems: dict[str, OriginmapError] = {}
        """The error of each cache that is not up to date."""
        store.follow_commits(self._committed)

    def compare(self) -> None:
        """Render soon, and compare the files on disk and the running caches with the result."""
        self._compare_requested = True
        self._changed()

    def stop(self) -> None:
        """Make `run` return after the current update."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Keep the caches up to date until stopped. Call `recover` first."""
        while await self._due():
            await self.update()
            await self.prepare()
        await self._renderer.forget()

    async def recover(self) -> None:
        """Undo interrupted file switches. Call this before any update. Raises CannotWrite."""
        for target in self._targets:
            await asyncio.to_thread(target.recover)

    async def update(self) -> dict[str, ApplyOutcome]:
        """Update every cache now. Returns the outcome of each cache that did not fail."""
        began = self._seconds()
        compare = self._compare_requested or began >= self._pace.compare_at(self._situation)
        self._compare_requested = False
        # Changes committed from here on may be missing from the rendered files.
        self._situation = self._situation._replace(began=began, changed=False)
        self.rendered = None
        expires: float | None = None
        outcomes: dict[str, ApplyOutcome] = {}
        places: dict[Path, Path] = {}

        def files_of(node: Node) -> dict[Path, File]:
            files = self._files(node)
            places.update({new_of(path): path for path in files})
            return {new_of(path): file for path, file in files.items()}

        try:
            rendered = await self._renderer.render(files_of, update=not compare)
        except OriginmapError as error:
            for target in self._targets:
                self._failed(target, error)
        else:
            self.rendered = rendered
            if rendered.expires is not None:
                expires = began + (rendered.expires - self._now()) / 1e6
            outcomes = await self._apply(rendered, compare)
            if not self.problems:
                self._renderer.keep(rendered, places)
        self._note(began, compare, expires)
        return outcomes

    async def clean(self) -> None:
        """Remove the old files of the last update."""
        for target in self._targets:
            await asyncio.to_thread(target.clean)

    async def prepare(self) -> None:
        """Clean, and prepare for the next update, which takes less time then."""
        began = self._seconds()
        await self.clean()
        await self._renderer.prepare()
        took = self._situation.took + self._seconds() - began
        self._situation = self._situation._replace(took=took)

    def _files(self, node: Node) -> dict[Path, File]:
        return {
            path: file for target in self._targets for path, file in target.duty.files(node).items()
        }

    async def _due(self) -> bool:
        """Wait until an update is due; False if the agent was stopped."""
        while not self._stopping:
            self._wake.clear()
            due = self._pace.due(self._situation) if self._store.is_replica else float("inf")
            left = due - self._seconds()
            if left <= 0:
                return True
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if left == float("inf") else left):
                    await self._wake.wait()
        return False

    async def _apply(self, rendered: Rendered, compare: bool) -> dict[str, ApplyOutcome]:
        outcomes = {}
        for target in self._targets:
            try:
                outcome = await asyncio.to_thread(target.apply, rendered, compare=compare)
            except OriginmapError as error:
                self._failed(target, error)
                continue
            outcomes[target.name] = outcome
            if self.problems.pop(target.name, None) or outcome is not ApplyOutcome.SAME:
                data = {"cache": target.name, "revision": rendered.revision, "how": outcome.value}
                _LOG.info("up to date", extra={"data": data})
        return outcomes

    def _note(self, began: float, compare: bool, expires: float | None) -> None:
        """Record the result of an update, and report it to the listener."""
        ended = self._seconds()
        self._situation = self._situation._replace(
            took=ended - began,
            compared=ended if compare else self._situation.compared,
            failures=self._situation.failures + 1 if self.problems else 0,
            expires=expires,
        )
        revisions = [target.applied(self._store.epoch) for target in self._targets]
        applied = None if None in revisions else min(r for r in revisions if r is not None)
        problem = "; ".join(f"{name}: {error}" for name, error in sorted(self.problems.items()))
        self._listener(applied, problem)

    def _failed(self, target: Target, error: OriginmapError) -> None:
        before = self.problems.get(target.name)
        self.problems[target.name] = error
        if before is None or _gist(before) != _gist(error):
            data = {"cache": target.name, "why": str(error), "do": error.hint}
            _LOG.warning("update failed; the cache keeps its last good files", extra={"data": data})

    def _committed(self) -> None:
        # Skip changes that are not released yet: rendering an earlier revision again takes longer
        # with every later change.
        last = self.rendered
        if (
            self.problems
            or last is None
            or (self._store.generation, self._pinned()) != (last.generation, last.revision)
        ):
            self._changed()

    def _changed(self) -> None:
        self._situation = self._situation._replace(changed=True)
        self._wake.set()


def _gist(error: OriginmapError) -> str:
    """The message without numbers: another time or process number does not make it a new error."""
    return re.sub(r"\d+", "", str(error))

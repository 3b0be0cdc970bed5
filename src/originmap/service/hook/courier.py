"""The delivery of one hook: one message at a time, in the order of revisions.

A message is repeated until the receiver accepts it, with growing pauses, for a day; then the change
is a dead letter. The day is counted from the commit of the change, or from the first failure of the
receiver if that is later. The position is stored every half minute and at the end, so a crash
repeats the messages since then.

If several processes share the database, the first that stores the position with its name delivers,
as long as it renews that in time; each write checks it, like the steps of a rollout.
"""

import asyncio
import contextlib
import logging
import random
from dataclasses import replace
from typing import NamedTuple

from originmap.domain.access.permissions import Grants
from originmap.domain.errors import OriginmapError
from originmap.domain.history.change import Cause, Change
from originmap.domain.hook.hook import LONGEST_PROBLEM, DeadLetter, Hook, HookPosition
from originmap.domain.hook.rules import save_position, settle_letter
from originmap.service.feed.feed import Delta, Feed, Point
from originmap.service.feed.view import View
from originmap.service.hook.book import HookBook
from originmap.service.hook.message import Sender, kind_of, message_of
from originmap.store.clock import Now
from originmap.store.port import Store

_LOG = logging.getLogger(__name__)
_SECOND = 1_000_000
_FIRST_PAUSE, _LONGEST_PAUSE = 5 * _SECOND, 3_600 * _SECOND
_PATIENCE = 86_400 * _SECOND
_LEASE, _LEAST_LEASE = 60 * _SECOND, 30 * _SECOND
"""How long a process delivers without renewing, and how much of it an attempt needs."""
_SAVE_SECONDS = 30.0
"""Between two stored positions: each is a change that every follower reads."""
_IDLE_SECONDS = 60.0
_GATHER_SECONDS = 0.05
"""Between two reads of changes that the hook is not for, so that each read is of many."""
_LEAVE_SECONDS = 2.0
_MOST_UNSAVED = 1_000
"""Revisions without a message after which the position is stored nevertheless."""
_CHUNK = 250
_WHOLE = View("hooks", Grants([]), whole=True)
_CAUSE = Cause("hooks", "", "")
_GONE = "the history no longer has this change"


class DeliverySetup(NamedTuple):
    """What the couriers of a process share. `holder` is the name of the process, "" if it is the
    only one of its database; `tick` is in seconds."""

    store: Store
    feed: Feed
    book: HookBook
    now: Now
    holder: str = ""
    tick: float = 1.0


class Courier:
    """Delivers the changes of one hook."""

    def __init__(self, hook: Hook, setup: DeliverySetup, sender: Sender) -> None:
        self._hook = hook
        self._store, self._feed, self._book, self._now, self._holder, self._tick = setup
        self._sender = sender
        self._reached: int | None = None
        """Everything up to this revision is handled; None while another process delivers."""
        self._unsaved = False
        self._saved_at = 0.0
        self._failed_at = 0
        self._blocked = False
        self._died: list[DeadLetter] = []

    async def run(self) -> None:
        """Deliver until cancelled."""
        try:
            while True:
                try:
                    await self._step()
                except OriginmapError as error:
                    self._log(logging.ERROR, "hook", str(error))
                    self._stand_by()
                    await asyncio.sleep(10 * self._tick)
        finally:
            await self._leave()

    async def _step(self) -> None:
        position, now = self._position, self._now()
        if self._feed.stopped:
            await asyncio.sleep(self._tick)
            return
        if self._store.is_replica or position.held_by_other(self._holder, now):
            self._stand_by()
            await asyncio.sleep(self._tick)
            return
        if self._reached is None or position.revision > self._reached:
            self._reached, self._unsaved = position.revision, False
        self._book.tally.reached[self._hook.name] = self._reached
        letters = self._book.letters(self._hook.name).letters
        letter = next((letter for letter in letters if letter.retry), None)
        if letter is not None:
            await self._retry(letter)
        elif self._blocked and now < position.retry_at:
            await asyncio.sleep(self._tick)
        else:
            self._blocked = False
            await self._advance(self._reached)

    async def _advance(self, reached: int) -> None:
        seconds = _IDLE_SECONDS
        if self._unsaved:
            seconds = max(self._saved_at + _SAVE_SECONDS - _time(), 0)
        delta = await self._feed.wait(Point("", reached), _WHOLE, _CHUNK, seconds)
        if delta.reset:
            await self._skip(reached, delta)
            return
        if not any(kind_of(change) in self._hook.on for change in delta.changes):
            self._note(delta.revision)
            await asyncio.sleep(_GATHER_SECONDS)
        for change in delta.changes:
            if kind_of(change) in self._hook.on and not await self._handle(change):
                break
            self._note(change.revision)
        if self._reached is not None and (self._died or self._due(self._reached)):
            await self._save(replace(self._position, revision=self._reached))

    def _due(self, reached: int) -> bool:
        """Whether to store the position."""
        if self._unsaved and _time() >= self._saved_at + _SAVE_SECONDS:
            return True
        return reached - self._position.revision >= _MOST_UNSAVED

    async def _handle(self, change: Change) -> bool:
        """Deliver a change, or make it a dead letter. Return whether one of both is done."""
        if not self._expired(change):
            if self._now() < self._position.retry_at:
                self._blocked = True
                return False
            if not await self._claimed():
                return False
            problem = await self._send(change)
            if not problem:
                await self._succeeded(change)
                return True
            await self._failed(problem)
            if self._reached is None or not self._expired(change):
                self._blocked = True
                return False
        self._log(logging.ERROR, "hook message is dead", self._position.problem, change.revision)
        self._died.append(DeadLetter(change.revision, self._now(), self._position.problem))
        return True

    def _expired(self, change: Change) -> bool:
        """Whether the receiver failed a day after the change, and has been failing for a day."""
        position = self._position
        until = max(change.at, position.failing_since) + _PATIENCE
        return bool(position.attempts) and self._failed_at >= until

    async def _send(self, change: Change) -> str:
        """Make one attempt; return "" or the reason for the failure."""
        problem = await message_of(change).send(self._sender, self._hook, self._now())
        if problem:
            self._book.tally.failed += 1
        else:
            self._book.tally.delivered += 1
        return problem[:LONGEST_PROBLEM]

    async def _succeeded(self, change: Change) -> None:
        self._note(change.revision)
        self._unsaved = True
        if self._position.attempts:
            self._log(logging.INFO, "hook recovered", "", change.revision)
            await self._save(HookPosition(self._hook.name, change.revision))
        elif self._due(change.revision):
            await self._save(replace(self._position, revision=change.revision))

    async def _failed(self, problem: str) -> None:
        now, before = self._now(), self._position
        self._failed_at = now
        if not before.attempts:
            self._log(logging.WARNING, "hook fails", problem)
        pause = min(_FIRST_PAUSE << min(before.attempts, 20), _LONGEST_PAUSE)
        after = replace(
            before,
            revision=before.revision if self._reached is None else self._reached,
            attempts=before.attempts + 1,
            failing_since=before.failing_since or now,
            retry_at=now + int(pause * random.uniform(0.5, 1)),  # noqa: S311 (not a secret)
            problem=problem,
        )
        await self._save(after)

    async def _retry(self, letter: DeadLetter) -> None:
        """Send a dead letter once more."""
        if not await self._claimed():
            return
        found = await self._store.changes(letter.revision - 1, 1)
        known = found and found[0].revision == letter.revision
        problem = await self._send(found[0]) if known else _GONE
        decide = settle_letter(self._hook.name, letter.revision, problem)
        await self._store.write_records(decide, _CAUSE)

    async def _skip(self, reached: int, delta: Delta) -> None:
        """Continue after a gap in the history, which becomes a dead letter."""
        oldest = self._store.oldest
        self._log(logging.ERROR, "hook lost changes", delta.reset, reached)
        if oldest <= reached:  # the database is behind its hooks
            await asyncio.sleep(self._tick)
            return
        problem = f"changes after revision {reached} left the history before they were delivered"
        self._died.append(DeadLetter(oldest, self._now(), problem))
        await self._save(replace(self._position, revision=oldest))

    async def _claimed(self) -> bool:
        """Whether this process may make an attempt now."""
        position = self._position
        if not self._holder:
            return True
        if position.holder == self._holder and position.held_until >= self._now() + _LEAST_LEASE:
            return True
        revision = position.revision if self._reached is None else self._reached
        return await self._save(replace(position, revision=revision))

    async def _save(self, position: HookPosition, lease: int = _LEASE) -> bool:
        """Store the position with what has died. Return False if another process delivers."""
        now, died = self._now(), tuple(self._died)
        held_until = now + lease if self._holder else 0
        position = replace(position, holder=self._holder, held_until=held_until)
        done = await self._store.write_records(
            save_position(self._hook, position, now, died), _CAUSE
        )
        self._died.clear()
        self._unsaved, self._saved_at = False, _time()
        stored = done.outcome
        if stored is None or stored.revision > position.revision:
            self._stand_by()
            return False
        return True

    async def _leave(self) -> None:
        """Store the position and let other processes deliver."""
        reached, held = self._reached, self._position.holder == self._holder != ""
        self._stand_by()
        if reached is None or not (self._unsaved or held):
            return
        with contextlib.suppress(OriginmapError, TimeoutError):
            async with asyncio.timeout(_LEAVE_SECONDS):
                await self._save(replace(self._position, revision=reached), lease=0)

    @property
    def _position(self) -> HookPosition:
        return self._book.position(self._hook)

    def _note(self, revision: int) -> None:
        if self._reached is not None:
            self._reached = max(self._reached, revision)
            self._book.tally.reached[self._hook.name] = self._reached

    def _stand_by(self) -> None:
        self._reached = None
        self._died.clear()
        self._book.tally.reached.pop(self._hook.name, None)

    def _log(self, level: int, text: str, why: str, revision: int = 0) -> None:
        data = {"hook": self._hook.name, "why": why, "revision": revision}
        _LOG.log(level, text, extra={"data": {k: v for k, v in data.items() if v}})


def _time() -> float:
    return asyncio.get_running_loop().time()

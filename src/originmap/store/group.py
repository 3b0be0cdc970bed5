"""Group commit: all waiting writes share one transaction and one fsync.

Owns the queue, its limit, and the delivery of results. A store provides the function that commits a
group: it settles every write of the group by `Write.done` or `Write.refused`, or raises, which
fails all of them.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from originmap.domain.errors import OriginmapError, StoreBusy, StoreError, StoreFailed
from originmap.domain.history.change import Cause, Committed
from originmap.domain.history.record import RecordDecide
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Decide
from originmap.store.port import Queue

MAX_WAITING = 10_000
"""Writes that may wait; more are rejected. That is about a second of writes on a slow disk."""

MAX_GROUP_ADDRESSES = 2_000
"""Addresses in one group; limits how long one transaction occupies the event loop."""


@dataclass(slots=True, eq=False)
class Write:
    """A waiting write: of mappings (`decide`), of records (`decide_records`, with `seen` of
    `Store.write_records`), or of `work` that writes by itself in the transaction."""

    cause: Cause
    zone_id: str = ""
    addresses: Sequence[Address] = ()
    decide: Decide[object] | None = None
    decide_records: RecordDecide[object] | None = None
    seen: int | None = None
    work: Callable[[], Awaitable[object]] | None = None
    future: asyncio.Future[Committed[object]] = field(init=False)  # set when it is queued
    result: Committed[object] | None = None
    error: BaseException | None = None

    def done(self, result: Committed[object]) -> None:
        """Set the result that the caller gets once the group is durable."""
        self.result = result

    def refused(self, error: BaseException) -> None:
        """Set the error that the caller gets; this write has written nothing."""
        self.error = error


CommitGroup = Callable[[Sequence[Write]], Awaitable[None]]


class GroupCommit:
    """The single writer: takes queued writes, commits them as a group, and delivers the results."""

    def __init__(self, commit: CommitGroup, max_waiting: int = MAX_WAITING) -> None:
        self._commit = commit
        self._max_waiting = max_waiting
        self._queue: deque[Write] = deque()
        self._wake = asyncio.Event()
        self._closing = False
        self._groups = self._writes = 0
        self._refusal: OriginmapError | None = None
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._run())

    @property
    def queue(self) -> Queue:
        return Queue(len(self._queue), self._groups, self._writes)

    def refuse(self, error: OriginmapError) -> None:
        """Reject all further decisions with `error`; `work` is still accepted."""
        self._refusal = error

    def submit(self, write: Write) -> asyncio.Future[Committed[Any]]:
        """Queue `write`; the future is done when it is durable. Raises StoreBusy if the queue is
        full."""
        if self._closing:
            raise StoreFailed("the store is closed")
        if self._refusal is not None and write.work is None:
            raise self._refusal.with_traceback(None)  # a traceback would grow with each raise
        if len(self._queue) >= self._max_waiting:
            raise StoreBusy
        write.future = self._loop.create_future()
        self._queue.append(write)
        self._wake.set()
        return write.future

    async def close(self) -> None:
        """Commit the queued writes and stop."""
        self._closing = True
        self._wake.set()
        await self._task

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            while self._queue:
                await self._commit_group(self._next_group())
            self._wake.clear()
            if self._closing:
                return

    def _next_group(self) -> list[Write]:
        """Return the writes at the head of the queue. A write that is not of mappings is its own
        group."""
        group = [self._queue.popleft()]
        addresses = len(group[0].addresses)
        while self._queue and group[-1].decide and self._queue[0].decide:
            addresses += len(self._queue[0].addresses)
            if addresses > MAX_GROUP_ADDRESSES:
                break
            group.append(self._queue.popleft())
        return group

    async def _commit_group(self, group: Sequence[Write]) -> None:
        self._groups += 1
        self._writes += len(group)
        try:
            await self._commit(group)
        except StoreError as error:
            for write in group:
                write.refused(error)
        except Exception as error:  # the writer must outlive a bug in one group
            for write in group:
                write.refused(error)
        for write in group:
            _deliver(write)


def _deliver(write: Write) -> None:
    if write.future.done():  # the caller was cancelled during the commit
        return
    if write.error is not None:
        write.future.set_exception(write.error)
    elif write.result is not None:
        write.future.set_result(write.result)
    else:
        write.future.set_exception(StoreFailed("the store did not complete the write"))

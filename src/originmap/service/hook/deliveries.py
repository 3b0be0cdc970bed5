"""Runs a courier for each hook, as hooks are added and removed."""

import asyncio
import logging
from collections.abc import Iterable, Sequence

from originmap.domain.history.record import Kind, RecordChange
from originmap.domain.hook.hook import Hook
from originmap.service.hook.courier import Courier, DeliverySetup
from originmap.service.hook.message import NewSender

_LOG = logging.getLogger(__name__)
_RESTART_SECONDS = 5.0


class Deliveries:
    """Delivers all hooks of a primary. Each has its own task and connection, so none waits for
    another."""

    def __init__(self, setup: DeliverySetup, new_sender: NewSender) -> None:
        self._setup = setup
        self._new_sender = new_sender
        self._changed = asyncio.Event()
        self._tasks: dict[Hook, asyncio.Task[None]] = {}
        setup.store.follow_records(self._on_records)

    async def run(self) -> None:
        """Deliver until cancelled; then store the positions."""
        try:
            while True:
                self._changed.clear()
                hooks = set(self._setup.book.all())
                await self._stop(self._tasks.keys() - hooks)
                for hook in hooks - self._tasks.keys():
                    self._tasks[hook] = asyncio.create_task(self._deliver(hook))
                await self._changed.wait()
        finally:
            await self._stop(list(self._tasks))

    async def _deliver(self, hook: Hook) -> None:
        while True:
            sender = self._new_sender()
            try:
                await Courier(hook, self._setup, sender).run()
            except Exception:  # the other changes must be delivered after any bug
                _LOG.exception("internal error while delivering a hook")
                await asyncio.sleep(_RESTART_SECONDS)
            finally:
                await sender.close()

    async def _stop(self, hooks: Iterable[Hook]) -> None:
        stopped = [self._tasks.pop(hook) for hook in list(hooks)]
        for task in stopped:
            task.cancel()
        await asyncio.gather(*stopped, return_exceptions=True)

    def _on_records(self, changes: Sequence[RecordChange]) -> None:
        if any(change.key.kind is Kind.HOOK for change in changes):
            self._changed.set()

"""Tasks beside other work."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine


@contextlib.asynccontextmanager
async def running(
    work: Coroutine[None, None, None], on_end: Callable[[], None] | None = None
) -> AsyncIterator[None]:
    """Run `work` as a background task; cancel it on exit. `on_end` is called if it ends earlier."""
    task = asyncio.create_task(work)
    if on_end is not None:
        task.add_done_callback(lambda done: None if done.cancelled() else on_end())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

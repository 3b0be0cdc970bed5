"""Waiting for something to become true."""

import asyncio
import time
from collections.abc import Callable

PATIENCE_SECONDS = 60
"""Seconds until a test fails that waits."""


def wait_until(true: Callable[[], object], shown: Callable[[], object] = lambda: "") -> None:
    """Wait until a condition is true; `shown` says more if it never is."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline, shown()
        time.sleep(0.02)


async def until(true: Callable[[], object], shown: Callable[[], object] = lambda: "") -> None:
    """The same for a condition on what runs in this event loop."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline, shown()
        await asyncio.sleep(0.01)

"""The event loop of servers: uvloop, or asyncio's own on systems that uvloop does not support."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

try:
    from uvloop import new_event_loop
except ImportError:  # Windows, and Python other than CPython
    new_event_loop = None  # type: ignore[assignment]

T = TypeVar("T")


def run_in_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` to its end in a new event loop."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(work)

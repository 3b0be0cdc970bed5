"""A line on a terminal that says how far a long run is."""

from collections.abc import Callable
from typing import TextIO

_PATIENCE_SECONDS = 2.0
_EVERY_SECONDS = 0.2
_LOOK_EVERY = 1000
_CLEAR = "\r\x1b[K"


class Progress:
    """Says how many items were done, once a run takes longer than two seconds; nothing at all
    where `out` is no terminal. `now` is in seconds, from any start."""

    def __init__(self, out: TextIO, now: Callable[[], float]) -> None:
        self._out = out
        self._now = now
        self._wanted = out.isatty()
        self._started = now()
        self._next = self._started + _PATIENCE_SECONDS
        self._done = 0
        self._look_at = _LOOK_EVERY
        self._visible = False

    def step(self, count: int = 1) -> None:
        """One more is done, or `count` more."""
        self._done += count
        if self._wanted and self._done >= self._look_at:
            self._look_at = self._done + _LOOK_EVERY
            if self._now() >= self._next:
                self._show()

    def clear(self) -> None:
        """Make room for another line."""
        if self._visible:
            self._out.write(_CLEAR)
            self._out.flush()
            self._visible = False

    def _show(self) -> None:
        now = self._now()
        rate = self._done / (now - self._started)
        self._out.write(f"{_CLEAR}{self._done:,} done, {rate:,.0f} a second")
        self._out.flush()
        self._visible = True
        self._next = now + _EVERY_SECONDS

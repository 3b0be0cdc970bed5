"""A bar on a terminal: how far a run of known length is, how fast, and how long it takes yet."""

from collections.abc import Callable
from typing import TextIO

_WIDTH = 30
_EVERY_SECONDS = 0.1
_CLEAR = "\r\x1b[K"


class Bar:
    """Shows nothing at all where `out` is no terminal. `now` is in seconds, from any start."""

    def __init__(self, out: TextIO, now: Callable[[], float], total: int) -> None:
        self._out = out
        self._now = now
        self._total = max(total, 1)
        self._wanted = out.isatty()
        self._started = now()
        self._next = self._started
        self._done = 0
        self._visible = False

    def step(self, count: int) -> None:
        """So many more are done."""
        self._done += count
        now = self._now()
        if self._wanted and (now >= self._next or self._done >= self._total):
            self._next = now + _EVERY_SECONDS
            self._out.write(_CLEAR + self.line(now))
            self._out.flush()
            self._visible = True

    def line(self, now: float) -> str:
        """What is shown at a moment."""
        filled = _WIDTH * min(self._done, self._total) // self._total
        bar = "#" * filled + "." * (_WIDTH - filled)
        rate = self._done / max(now - self._started, 1e-6)
        left = (self._total - self._done) / rate if rate else 0.0
        return (
            f"[{bar}] {self._done:,} of {self._total:,}, {rate:,.0f} a second, {_spoken(left)} left"
        )

    def clear(self) -> None:
        """Make room for another line."""
        if self._visible:
            self._out.write(_CLEAR)
            self._out.flush()
            self._visible = False


def _spoken(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole} s" if whole < 120 else f"{whole // 60} min {whole % 60} s"

"""A line that says how things stand: on a terminal the same one, elsewhere another when something
but the time has changed."""

from typing import TextIO

_CLEAR = "\r\x1b[K"


class LiveLine:
    """Writes to `out`."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._live = out.isatty()
        self._last = ""

    def show(self, text: str, time: str = "") -> None:
        """How things stand; `time` alone makes no other line."""
        if self._live:
            self._out.write(_CLEAR + text + time)
            self._out.flush()
        elif text != self._last:
            self._out.write(f"{text}\n")
            self._out.flush()
        self._last = text

    def say(self, text: str) -> None:
        """A line that stays."""
        self.clear()
        self._out.write(f"{text}\n")
        self._out.flush()

    def clear(self) -> None:
        """Make room for another line."""
        if self._live and self._last:
            self._out.write(_CLEAR)
            self._out.flush()
        self._last = ""

"""A clock that tests control.

Everything that depends on time reads it: `modified_on`, the expiry of tokens, the windows of rate
limits. It runs with the machine's clock until it is frozen or advanced.
"""

import time

from originmap.store.clock import Clocks, Now, wall_clock


class ControlledClock:
    """The time of the server, in microseconds since 1970 UTC."""

    def __init__(self, machine: Now = wall_clock) -> None:
        self._machine = machine
        self._offset = 0
        self._frozen: int | None = None

    @property
    def clocks(self) -> Clocks:
        """The clocks of the server; both are this one, so that windows move with the time."""
        return Clocks(self.now, self.now)

    @property
    def frozen(self) -> bool:
        """Whether time stands still."""
        return self._frozen is not None

    def now(self) -> int:
        """The current time."""
        return self._machine() + self._offset if self._frozen is None else self._frozen

    def at(self, started: int) -> int:
        """The time of an event, by the nanoseconds of `time.perf_counter_ns` then."""
        if self._frozen is not None:
            return self._frozen
        return self.now() - (time.perf_counter_ns() - started) // 1000

    def freeze(self, moment: int) -> None:
        """Stop at a moment."""
        self._frozen = moment

    def advance(self, microseconds: int) -> None:
        """Move forward; a running clock goes on from there."""
        if self._frozen is None:
            self._offset += microseconds
        else:
            self._frozen += microseconds

    def run(self) -> None:
        """Follow the machine's clock again."""
        self._offset, self._frozen = 0, None

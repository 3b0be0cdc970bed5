"""A clock that tests control.

Everything that depends on time reads it: `modified_on`, the expiry of tokens, the windows of rate
limits. It runs with the machine's clock until it is frozen or advanced.
"""

import time
from typing import NamedTuple

from originmap.store.clock import Clocks, Now, wall_clock


class ClockSetting(NamedTuple):
    """What a clock shows until it is set again: `offset` more than the machine's, or always
    `frozen`. Microseconds."""

    offset: int = 0
    frozen: int | None = None

    def time(self, machine: int) -> int:
        """The time when the machine's clock shows `machine`."""
        return machine + self.offset if self.frozen is None else self.frozen


class ControlledClock:
    """The time of the server, in microseconds since 1970 UTC. `setting` is the current one."""

    def __init__(self, machine: Now = wall_clock) -> None:
        self._machine = machine
        self.setting = ClockSetting()

    @property
    def clocks(self) -> Clocks:
        """The clocks of the server; both are this one, so that windows move with the time."""
        return Clocks(self.now, self.now)

    @property
    def frozen(self) -> bool:
        """Whether time stands still."""
        return self.setting.frozen is not None

    def now(self) -> int:
        """The current time."""
        return self.setting.time(self._machine())

    def at(self, started: int) -> int:
        """The time of an event, by the nanoseconds of `time.perf_counter_ns` then."""
        return self.setting.time(self._machine() - (time.perf_counter_ns() - started) // 1000)

    def freeze(self, moment: int) -> None:
        """Stop at a moment."""
        self.setting = self.setting._replace(frozen=moment)

    def advance(self, microseconds: int) -> None:
        """Move forward; a running clock goes on from there."""
        offset, frozen = self.setting
        if frozen is None:
            self.setting = ClockSetting(offset + microseconds)
        else:
            self.setting = ClockSetting(offset, frozen + microseconds)

    def run(self) -> None:
        """Follow the machine's clock again."""
        self.setting = ClockSetting()

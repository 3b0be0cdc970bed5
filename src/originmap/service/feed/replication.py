"""How a replica stands to its primary."""

import math

from originmap.store.clock import Now, running_clock


class Replication:
    """What the follower reports, for health, headers and metrics."""

    def __init__(self, primary: str, now: Now, elapsed: Now = running_clock) -> None:
        """`now` in microseconds since 1970 UTC; `elapsed` only goes forward, whatever the clock of
        the machine is set to."""
        self.primary = primary
        self.error = ""
        """Why the primary cannot be followed; "" while it can."""
        self._now = now
        self._elapsed = elapsed
        self._as_of: int | None = None  # by `elapsed`
        self._age_then = 0.0

    @property
    def connected(self) -> bool:
        """Whether the primary was heard of when it was asked last."""
        return self._as_of is not None and not self.error

    @property
    def loaded(self) -> bool:
        """Whether there is anything to serve."""
        return self._as_of is not None

    @property
    def age(self) -> float:
        """Seconds since this was known to be all that the first primary of the chain has; infinite
        where that is not known."""
        if self._as_of is None:
            return math.inf
        return max(self._elapsed() - self._as_of, 0) / 1e6 + self._age_then

    def moment(self) -> int:
        """Now, for `took`."""
        return self._elapsed()

    def found(self, at: int) -> None:
        """There was a copy at the start, not older than `at` by the clock of the primary. Where the
        clock of this machine is behind that one, nothing is known of its age."""
        age = (self._now() - at) / 1e6
        self._as_of, self._age_then = self._elapsed(), age if age >= 0 else math.inf

    def took(self, began: int, primary_age: float) -> None:
        """A copy was taken, which was all that the primary had at `began`."""
        self._as_of, self._age_then = began, primary_age

    def heard(self, primary_age: float) -> None:
        """The primary has nothing that is not here; it may be a replica itself, so old."""
        self._as_of, self._age_then, self.error = self._elapsed(), primary_age, ""

    def failed(self, why: str) -> bool:
        """The primary cannot be followed; whether that is news."""
        news, self.error = why != self.error, why
        return news

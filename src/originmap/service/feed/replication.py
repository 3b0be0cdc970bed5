"""The state of a replica's connection to its primary."""

import math

from originmap.store.clock import Now, running_clock

AGE_HEADER = "originmap-replica-age"
"""The age in seconds of what a response was read from, a replica or a standby."""


class Replication:
    """Replication state for health, headers and metrics, as the follower reports it."""

    def __init__(self, primary: str, now: Now, elapsed: Now = running_clock) -> None:
        """`now` is in microseconds since 1970 UTC. `elapsed` is a monotonic clock, which does not
        follow changes of the machine's clock."""
        self.primary = primary
        self.error = ""
        """Why following the primary fails; "" while it works."""
        self._now = now
        self._elapsed = elapsed
        self._heard = False
        self._as_of: int | None = None  # by `elapsed`
        self._age_then = 0.0

    @property
    def connected(self) -> bool:
        """Whether the last contact with the primary succeeded; false before the first one."""
        return self._heard and not self.error

    @property
    def loaded(self) -> bool:
        """Whether there is any data to serve."""
        return self._as_of is not None

    @property
    def age(self) -> float:
        """Seconds since the data was known to equal that of the first primary of the chain;
        infinite if unknown."""
        if self._as_of is None:
            return math.inf
        return max(self._elapsed() - self._as_of, 0) / 1e6 + self._age_then

    def moment(self) -> int:
        """Return the current time, for `synced`."""
        return self._elapsed()

    def restored(self, at: int) -> None:
        """Note that the database had data at the start, from time `at` by the primary's clock. If
        this machine's clock is behind that time, the age is unknown."""
        age = (self._now() - at) / 1e6
        self._as_of, self._age_then = self._elapsed(), age if age >= 0 else math.inf

    def synced(self, began: int, primary_age: float) -> None:
        """Note a full sync with everything that the primary had at `began`."""
        self._as_of, self._age_then = began, primary_age

    def heard(self, primary_age: float) -> None:
        """Note that the primary has nothing newer. It may be a replica itself, with an age of its
        own."""
        self._as_of, self._age_then = self._elapsed(), primary_age
        self._heard, self.error = True, ""

    def failed(self, why: str) -> bool:
        """Note that following fails; return whether the reason is new."""
        news, self.error = why != self.error, why
        return news

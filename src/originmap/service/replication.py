"""How a replica stands to its primary."""

from originmap.store.clock import Now


class Replication:
    """What the follower reports, for health, headers and metrics."""

    def __init__(self, primary: str, now: Now) -> None:
        """`now` in microseconds since 1970 UTC."""
        self.primary = primary
        self.error = ""
        """Why the primary cannot be followed; "" while it can."""
        self._now = now
        self._as_of: int | None = None
        self._primary_age = 0.0

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
        """Seconds since this was known to be all that the first primary of the chain has."""
        if self._as_of is None:
            return float("inf")
        return max(self._now() - self._as_of, 0) / 1e6 + self._primary_age

    def found(self, at: int) -> None:
        """There was a copy at the start, not older than `at`."""
        self._as_of = at

    def heard(self, primary_age: float) -> None:
        """The primary has nothing that is not here; it may be a replica itself, so old."""
        self._as_of, self._primary_age, self.error = self._now(), primary_age, ""

    def failed(self, why: str) -> bool:
        """The primary cannot be followed; whether that is news."""
        news, self.error = why != self.error, why
        return news

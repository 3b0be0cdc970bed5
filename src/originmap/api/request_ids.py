"""Request IDs, as `cf-ray` has them."""

import random


class RequestIDs:
    """Generates request IDs in the form of `cf-ray`: 16 hex digits, "-", a colo code."""

    def __init__(self, colo: str = "XXX") -> None:
        self._suffix = f"-{colo}"
        self._random = random.Random()  # noqa: S311 (an ID, not a secret)

    def next(self) -> str:
        """A new ID."""
        return f"{self._random.getrandbits(64):016x}{self._suffix}"

"""A source of snapshots and changes, which a follower copies: a server over HTTP, or a stream."""

from collections.abc import AsyncIterator
from typing import Protocol

from originmap.domain.history.snapshot import Part
from originmap.feed.changes_json import DeltaJSON
from originmap.feed.state_digest import StateDigest
from originmap.service.feed.feed import Point
from originmap.service.feed.followers import Report


class FeedSource(Protocol):
    """The feed of one database. Every method raises FeedError."""

    @property
    def age(self) -> float:
        """Age in seconds of the state that the last call of `changes` returned; infinite if
        unknown."""

    async def changes(self, point: Point, limit: int, wait: int) -> DeltaJSON:
        """Return up to `limit` changes after `point`, or a reset. If there are none, wait up to
        `wait` seconds for one. Raises AnswerTooLarge if the caller should request fewer."""

    def snapshot(self) -> AsyncIterator[Part]:
        """Yield the full state, and the history that rollouts need. Raises FeedError, also during
        the iteration."""

    async def digest(self) -> StateDigest | None:
        """Return the digest of a recent state; None if there is none."""

    async def report(self, report: Report, name: str = "") -> None:
        """Report the state of this follower, or of another node called `name`."""

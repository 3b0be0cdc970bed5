"""The replicas and nodes that follow this database, with their lag and last contact.

The state is in memory and comes from what they report.
"""

import re
from dataclasses import dataclass, replace
from typing import NamedTuple

from originmap.domain.errors import InvalidQuery
from originmap.store.clock import Now
from originmap.store.port import Store

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
"""A valid name of a follower."""
_MAX_FOLLOWERS = 10_000
MAX_PROBLEM = 1_000
"""Maximum length of a reported problem."""
_FORGOTTEN_AFTER = 24 * 3600 * 1_000_000  # microseconds
REPORT_SECONDS = 30.0
"""Seconds between the reports of a node that feeds a cache, also without news."""
SILENT_SECONDS = 3 * REPORT_SECONDS
"""A node without contact for this many seconds is silent."""


class Report(NamedTuple):
    """A follower's report; the members are those of `FollowerStatus`."""

    revision: int
    serves: str = ""
    applied: int | None = None
    problem: str = ""
    colo: str = ""


@dataclass(frozen=True, slots=True)
class FollowerStatus:
    """One follower.

    `revision` is the last that it has received, `last_contact` is in microseconds since 1970 UTC,
    and `serves` is its own description. One that feeds a cache also reports its `colo`, the
    revision that the cache has `applied`, and the `problem` that prevents a newer one.
    """

    name: str
    credential: str
    client: str
    revision: int
    last_contact: int
    serves: str = ""
    applied: int | None = None
    problem: str = ""
    colo: str = ""

    @property
    def feeds_a_cache(self) -> bool:
        """Whether it has reported its colo or the revision of its cache."""
        return bool(self.colo) or self.applied is not None


class Followers:
    """All followers."""

    def __init__(self, store: Store, now: Now) -> None:
        self._store = store
        self._now = now
        self._followers: dict[tuple[str, str], FollowerStatus] = {}
        self._began = now()

    @property
    def listening(self) -> float:
        """The seconds for which this process has collected reports; those to an earlier process are
        lost."""
        return max(self._now() - self._began, 0) / 1e6

    def heard(self, name: str, credential: str, client: str, revision: int) -> None:
        """Record that a follower requested the changes after a revision. Its report is unchanged.

        A name belongs to the credential that uses it, so that one follower cannot report for
        another. Raises InvalidQuery if the name is invalid.
        """
        before = self._followers.get((credential, name))
        if before is None:
            self._note(FollowerStatus(name, credential, client, revision, self._now()))
        else:
            at = self._now()
            self._note(replace(before, client=client, revision=revision, last_contact=at))

    def reported(self, name: str, credential: str, client: str, report: Report) -> None:
        """Record a follower's report. Raises InvalidQuery if the name is invalid."""
        self._note(
            FollowerStatus(name, credential, client, report.revision, self._now(), *report[1:])
        )

    def _note(self, follower: FollowerStatus) -> None:
        if not NAME.fullmatch(follower.name):
            raise InvalidQuery("follower must be up to 64 letters, digits and _ . : -")
        key = (follower.credential, follower.name)
        if key not in self._followers and len(self._followers) >= _MAX_FOLLOWERS:
            self._followers.pop(self._first_to_drop())
        # The dictionary is in order of last contact, so that the first is the one to drop.
        self._followers.pop(key, None)
        self._followers[key] = follower

    def _first_to_drop(self) -> tuple[str, str]:
        """Return the follower to drop: first those that do not feed a cache, because any reader can
        invent such names, and a rollout waits for those that feed one."""
        keys = (key for key, follower in self._followers.items() if not follower.feeds_a_cache)
        return next(keys, next(iter(self._followers)))

    def all(self) -> list[FollowerStatus]:
        """Return the followers with a contact within the last day, by name."""
        since = self._now() - _FORGOTTEN_AFTER
        recent = [f for f in self._followers.values() if f.last_contact >= since]
        return sorted(recent, key=lambda f: (f.name, f.credential))

    def lag(self, follower: FollowerStatus) -> int:
        """Return how many revisions it is behind with what it serves."""
        reached = follower.revision if follower.applied is None else follower.applied
        return max(self._store.revision - reached, 0)

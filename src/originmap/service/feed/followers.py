"""Who follows this database, how far behind, and when last heard of: in memory, as the followers
tell it themselves."""

import re
from dataclasses import dataclass, replace
from typing import NamedTuple

from originmap.domain.errors import InvalidQuery
from originmap.store.clock import Now
from originmap.store.port import Store

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
"""What a follower may be called."""
_MOST = 10_000
MAX_PROBLEM = 1_000
"""Characters of a problem."""
_FORGOTTEN_AFTER = 24 * 3600 * 1_000_000  # microseconds
REPORT_SECONDS = 30.0
"""How often a node of a cache reports, also without news."""
SILENT_SECONDS = 3 * REPORT_SECONDS
"""A node that was not heard of for so long is silent."""


class Report(NamedTuple):
    """What a follower says of itself; the members are those of `FollowerStatus`."""

    revision: int
    serves: str = ""
    applied: int | None = None
    problem: str = ""
    colo: str = ""


@dataclass(frozen=True, slots=True)
class FollowerStatus:
    """One follower. `revision` is the last that it says it has; `last_contact` is in
    microseconds since 1970 UTC; `serves` is what it says of itself. One that feeds a cache also
    says which revision that has `applied`, which `problem` keeps it from a newer one, and in which
    `colo` it is."""

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
        """Whether it said which cache it feeds, or what that serves."""
        return bool(self.colo) or self.applied is not None


class Followers:
    """All of them."""

    def __init__(self, store: Store, now: Now) -> None:
        self._store = store
        self._now = now
        self._known: dict[tuple[str, str], FollowerStatus] = {}
        self._began = now()

    @property
    def listening(self) -> float:
        """For how many seconds this process has heard what followers report: what they reported to
        one before it is gone."""
        return max(self._now() - self._began, 0) / 1e6

    def heard(self, name: str, credential: str, client: str, revision: int) -> None:
        """Note that a follower asked for what came after a revision. Raises InvalidQuery for what
        is no name. What it reported stays as it is.

        A name belongs to the credential that uses it, so that nobody speaks for another.
        """
        before = self._known.get((credential, name))
        if before is None:
            self._note(FollowerStatus(name, credential, client, revision, self._now()))
        else:
            at = self._now()
            self._note(replace(before, client=client, revision=revision, last_contact=at))

    def reported(self, name: str, credential: str, client: str, report: Report) -> None:
        """Note what a follower says of itself. As `heard`."""
        self._note(
            FollowerStatus(name, credential, client, report.revision, self._now(), *report[1:])
        )

    def _note(self, follower: FollowerStatus) -> None:
        if not NAME.fullmatch(follower.name):
            raise InvalidQuery("follower must be up to 64 letters, digits and _ . : -")
        key = (follower.credential, follower.name)
        if key not in self._known and len(self._known) >= _MOST:
            self._known.pop(self._least())
        # The one heard of last stands last: the first is the one to be forgotten.
        self._known.pop(key, None)
        self._known[key] = follower

    def _least(self) -> tuple[str, str]:
        """The one to be forgotten: of those that do not feed a cache, since anybody who may read
        can make them up, and a rollout waits for the others."""
        keys = (key for key, known in self._known.items() if not known.feeds_a_cache)
        return next(keys, next(iter(self._known)))

    def all(self) -> list[FollowerStatus]:
        """Those heard of within a day, by name."""
        since = self._now() - _FORGOTTEN_AFTER
        recent = [f for f in self._known.values() if f.last_contact >= since]
        return sorted(recent, key=lambda f: (f.name, f.credential))

    def lag(self, follower: FollowerStatus) -> int:
        """How many revisions it is behind with what it serves."""
        has = follower.revision if follower.applied is None else follower.applied
        return max(self._store.revision - has, 0)

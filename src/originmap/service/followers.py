"""Who follows this database, how far behind, and when last heard of: in memory, as the followers
tell it themselves."""

import re
from dataclasses import dataclass

from originmap.domain.errors import InvalidQuery
from originmap.store.clock import Now
from originmap.store.port import Store

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
_MOST = 10_000
_FORGOTTEN_AFTER = 24 * 3600 * 1_000_000  # microseconds


@dataclass(frozen=True, slots=True)
class Follower:
    """One follower. `revision` is the last that it says it has; `last_contact` is in
    microseconds since 1970 UTC; `serves` is what it says of itself."""

    name: str
    credential: str
    client: str
    revision: int
    last_contact: int
    serves: str = ""


class Followers:
    """All of them."""

    def __init__(self, store: Store, now: Now) -> None:
        self._store = store
        self._now = now
        self._known: dict[tuple[str, str], Follower] = {}

    def heard(
        self, name: str, credential: str, client: str, revision: int, serves: str = ""
    ) -> None:
        """Note that a follower was heard of. Raises InvalidQuery for what is no name.

        A name belongs to the credential that uses it, so that nobody speaks for another.
        """
        if not _NAME.fullmatch(name):
            raise InvalidQuery("follower must be up to 64 letters, digits and _ . : -")
        key = (credential, name)
        if key not in self._known and len(self._known) >= _MOST:
            self._known.pop(next(iter(self._known)))
        # The one heard of last stands last: the first is the one to be forgotten.
        before = self._known.pop(key, None)
        serves = serves or (before.serves if before else "")
        self._known[key] = Follower(name, credential, client, revision, self._now(), serves)

    def all(self) -> list[Follower]:
        """Those heard of within a day, by name."""
        since = self._now() - _FORGOTTEN_AFTER
        recent = [f for f in self._known.values() if f.last_contact >= since]
        return sorted(recent, key=lambda f: (f.name, f.credential))

    def lag(self, follower: Follower) -> int:
        """How many revisions it is behind."""
        return max(self._store.revision - follower.revision, 0)

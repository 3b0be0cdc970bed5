"""Changes: what was committed, in which order, and who caused it.

A *revision* is the number of a committed change: one counter for the whole database, in the
order of the commits, without gaps. A *cause* is one request; all changes it made share it and
have neighbouring revisions and one time. Changes of mappings are compact, because there are
many; changes of everything else (zones, tokens, users, accounts) carry the record before and
after.
"""

from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from originmap.domain.history.record import RecordChange
from originmap.domain.mapping.mapping import MappingChange

T = TypeVar("T", covariant=True)

LAST_REVISION = 10**15
"""No revision is larger: every JSON reader has integers of this size exactly (RFC 8259 §6)."""


class Cause(NamedTuple):
    """The request behind a change; every member is shown in the audit, none is a secret."""

    credential: str  # id of the token or user; "cli" and "setup" for the machine's own operator
    client: str  # the address it came from, "" for the machine itself
    request_id: str


@dataclass(frozen=True, slots=True)
class Committed(Generic[T]):
    """A write after its commit.

    `at` (microseconds since 1970 UTC) is later than that of every earlier write of the database.
    The changes have the revisions `revision`, `revision + 1`, …; with no changes `revision` is
    the one already reached.
    """

    at: int
    revision: int
    outcome: T


class Change(NamedTuple):
    """A committed change as the history shows it. A tuple, as its parts are, because a reader of
    the history makes thousands."""

    revision: int
    at: int
    cause: Cause
    zone_id: str  # "" where it concerns no zone
    what: MappingChange | RecordChange

"""Changes: the committed changes in commit order, each with its cause.

A *revision* is the number of a committed change: one counter for the whole database, in the
order of the commits, without gaps. A *cause* is one request; all changes of a request share the
cause and the time, and have consecutive revisions. Changes of mappings are compact, because there
are many; changes of other records (zones, tokens, users, accounts) carry the record before and
after.
"""

from typing import Generic, NamedTuple, TypeVar

from originmap.domain.history.record import RecordChange
from originmap.domain.mapping.mapping import MappingChange

T = TypeVar("T", covariant=True)

LAST_REVISION = 10**15
"""The largest revision. All JSON readers represent integers up to it exactly (RFC 8259 §6)."""


class Cause(NamedTuple):
    """The request behind a change. The audit log contains every member, so none is a secret."""

    credential: str  # id of the token or user; "cli" or "setup" for the operator of the machine
    client: str  # the client's address, "" for the machine itself
    request_id: str


class Committed(NamedTuple, Generic[T]):
    """A write after its commit.

    `at` (microseconds since 1970 UTC) is later than that of every earlier write of the database.
    The changes have the revisions `revision`, `revision + 1`, …; without changes `revision` is
    the current one.
    """

    at: int
    revision: int
    outcome: T


class Change(NamedTuple):
    """A committed change in the history. It and its parts are tuples, because reading the history
    creates thousands."""

    revision: int
    at: int
    cause: Cause
    zone_id: str  # "" if it does not concern a zone
    what: MappingChange | RecordChange

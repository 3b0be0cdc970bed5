"""The contract of a store. One test suite runs on every implementation.

Rules decide and stores persist: a store has one write method for mappings and one for records. Each
takes a pure decide function, reads what the function needs, calls it, and writes the returned
changes together with the change records and the next revisions, in one transaction. All checks end
before the first write, so a rejected write does not affect other writes of the same transaction.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from typing import NamedTuple, Protocol, TypeVar

from originmap.domain.errors import OriginmapError
from originmap.domain.history.change import Cause, Change, Committed
from originmap.domain.history.record import Key, RecordChange, RecordDecide
from originmap.domain.history.snapshot import MappingSelection, Part
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Decide, Mapping
from originmap.domain.tier.whatif import Count

T = TypeVar("T")

RecordListener = Callable[[Sequence[RecordChange]], None]
CommitListener = Callable[[], None]


class Page(NamedTuple):
    """A part of a zone's mappings in the order of addresses, the total of the zone, and the
    revision."""

    mappings: list[Mapping]
    total: int
    revision: int


class Queue(NamedTuple):
    """The state of the writer: waiting writes, and totals of commits since the start."""

    waiting: int
    groups: int
    writes: int


class ReadFrom(NamedTuple):
    """A standby that may serve reads, up to a lag in seconds."""

    url: str
    max_lag: float


class Standby(Protocol):
    """A copy of the database, kept up to date by the database server, that serves reads.

    A read of a zone is never older than a write to it that this process has acknowledged. Reads
    that the standby cannot serve are served by the database itself.
    """

    reads: int
    """Reads that the standby has served."""
    fallbacks: int
    """Reads that the database itself has served instead."""

    @property
    def serves(self) -> bool:
        """Whether it is connected, and its lag is small enough."""

    @property
    def lag(self) -> float:
        """Seconds since the standby had everything that was committed; infinite if unknown."""

    def note(self) -> Callable[[], float | None]:
        """Begin a request, in its own task. The result returns the largest lag of the reads that
        the standby has served for it; None if there were none."""


class Store(Protocol):
    """The interface of a store. Times are microseconds since 1970-01-01 UTC.

    Every method except `close` raises StoreFailed if the database fails.
    """

    @property
    def epoch(self) -> str:
        """Identifies the database: revisions of different epochs cannot be compared."""

    @property
    def revision(self) -> int:
        """The revision of the last committed change; 0 in an empty database."""

    @property
    def generation(self) -> int:
        """Raised each time that this process has replaced everything by a snapshot. Revisions of
        different generations cannot be compared, even with the same epoch: a primary that was
        restored from a backup has the same revisions with other changes."""

    @property
    def oldest(self) -> int:
        """The history has every change after this revision."""

    @property
    def is_replica(self) -> bool:
        """Whether this is a copy of another database, with the epoch of that database."""

    @property
    def writable(self) -> bool:
        """Whether the last commit succeeded and the next one can; readiness depends on it.

        After a failed commit the store detects by itself when commits succeed again. A removed
        file, a full disk and damage are detected without a commit.
        """

    @property
    def queue(self) -> Queue:
        """The state of the writer."""

    @property
    def standby(self) -> Standby | None:
        """The standby that serves reads, if there is one."""
        return None

    def follow_records(self, listener: RecordListener) -> None:
        """Call `listener` with every existing record, as if just created, and from then on with the
        changes of each commit, before the write is acknowledged."""

    def follow_commits(self, listener: CommitListener) -> None:
        """Call `listener` after each commit, of this or another process, once its changes can be
        read."""

    async def get(self, zone_id: str, address: Address) -> Mapping | None:
        """Return the mapping of one address, as of the last commit."""

    def get_now(self, zone_id: str, address: Address) -> Mapping | None:
        """Return the mapping of one address if the store reads without waiting; None if it does
        not."""

    async def page(self, zone_id: str, offset: int, limit: int) -> Page:
        """Return at most `limit` mappings of a zone, from `offset` on; empty past the end."""

    def page_now(self, zone_id: str, offset: int, limit: int) -> Page | None:
        """Return a page if the store reads without waiting; None if it does not."""

    async def count_places(self, zone_ids: Sequence[str]) -> list[Count]:
        """Count the mappings of these zones by region; zones without mappings are left out."""

    def refuse_writes(self, error: OriginmapError) -> None:
        """From now on `write` and `write_records` raise `error`; `load` and `apply` still work."""

    def write(
        self, zone_id: str, addresses: Sequence[Address], decide: Decide[T], cause: Cause
    ) -> asyncio.Future[Committed[T]]:
        """Decide about mappings of one zone and commit.

        The future is done when the changes are durable. A decision without changes is not recorded;
        its future is done when everything that it was based on is durable. The future gets the
        error that `decide` raises, with nothing written, or ZoneNotFound if the zone does not
        exist. Raises StoreBusy if the queue is full. It is not a coroutine, because the server
        would need a task to wait for one.
        """

    async def write_records(
        self, decide: RecordDecide[T], cause: Cause, seen: int | None = None
    ) -> Committed[T]:
        """Decide about records and commit, like `write`. Raises Stale if anything, mappings
        included, was committed after revision `seen`.

        Deleting a zone deletes its mappings: each gets a change record before the one of the zone.
        """

    async def changes(self, since: int, limit: int, zone_id: str | None = None) -> list[Change]:
        """Return committed changes after revision `since`, in order, at most `limit`.

        With `zone_id` only changes of that zone and its mappings are returned. Changes not newer
        than `oldest` are left out. The result may be shorter than `limit` if records are large:
        only an empty list is the end. No read returns a revision
        beyond `revision` as of the end of the read.
        """

    async def time_of(self, revision: int) -> int | None:
        """Return the time of the change `revision`; None if the history does not have it. That of
        the last change is always known."""

    async def changes_before(
        self,
        revision: int,
        limit: int,
        zone_id: str | None = None,
        address: Address | None = None,
    ) -> list[Change]:
        """Return committed changes before `revision`, newest first, as many as `changes` returns;
        with `zone_id`, only those of the zone and its mappings; with `address`, only those of that
        mapping."""

    async def last_record_change(self, key: Key) -> Change | None:
        """Return the last change of one record, which may be its deletion."""

    async def forget(self, up_to: int, limit: int) -> int:
        """Delete the oldest changes of the history, up to revision `up_to`, at most `limit`; return
        how many. The last change of the database is always kept."""

    def snapshot(
        self, *, history: bool = False, selection: MappingSelection | None = None
    ) -> AsyncGenerator[Part, None]:
        """Yield everything as of one revision, regardless of concurrent writes; with `history` also
        the history; with `selection`, of the mappings only these. Close the generator unless it is
        read to its end."""

    async def load(self, parts: AsyncIterator[Part]) -> None:
        """Become a replica: replace everything by a snapshot, epoch and revision included.

        Raises what `parts` raises; the former content is then unchanged.
        """

    async def apply(self, changes: Sequence[Change]) -> None:
        """Write changes that another database committed, with their revisions, times and causes.

        Raises BrokenFeed, with nothing written, unless they follow `revision` without a gap and
        each begins with the value that is stored here.
        """

    async def promote(self) -> None:
        """Become a primary with a new epoch; nothing else changes."""

    async def size(self) -> int:
        """Return the bytes that the database takes on disk; 0 if it is not on disk."""

    def room(self) -> int | None:
        """Return the bytes by which the database can grow on its disk; None if unknown."""

    async def close(self) -> None:
        """Commit the queued writes, then close the database. Later writes are rejected."""

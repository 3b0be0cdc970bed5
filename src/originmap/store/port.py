"""The contract of a store. One test suite runs on every implementation.

Rules decide, stores keep: a store has one write method for mappings and one for records. Each
takes a pure decide function, reads what it needs, calls it, and writes what it returns together
with the change records and the next revisions, all in one transaction. All checking ends before
the first write, so a write that is refused leaves others in the same transaction alone.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from typing import NamedTuple, Protocol, TypeVar

from originmap.domain.errors import OriginmapError
from originmap.domain.history.change import Cause, Change, Committed
from originmap.domain.history.record import Key, RecordChange, RecordDecide
from originmap.domain.history.snapshot import Part
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Decide, Mapping
from originmap.domain.tier.whatif import Count

T = TypeVar("T")

RecordListener = Callable[[Sequence[RecordChange]], None]
CommitListener = Callable[[], None]


class Page(NamedTuple):
    """A part of a zone's mappings, in the order of their addresses, and how many it has, as of a
    revision."""

    mappings: list[Mapping]
    total: int
    revision: int


class Queue(NamedTuple):
    """How the writer keeps up: writes that wait now, and what was committed since the start."""

    waiting: int
    groups: int
    writes: int


class Store(Protocol):
    """What every store does. Times are microseconds since 1970-01-01 UTC.

    Every method but `close` raises StoreFailed when the database fails.
    """

    @property
    def epoch(self) -> str:
        """Names this database: revisions of two databases cannot be compared."""

    @property
    def revision(self) -> int:
        """The revision of the last committed change; 0 in an empty database."""

    @property
    def oldest(self) -> int:
        """Every change after this revision is still in the history."""

    @property
    def is_replica(self) -> bool:
        """Whether this holds a copy of another database, under that one's epoch."""

    @property
    def writable(self) -> bool:
        """Whether the last commit worked and the next one can; what readiness is judged by. After
        one that failed the store finds out by itself when commits work again. A file that was
        removed, a full disk and damage are noticed without a commit."""

    @property
    def queue(self) -> Queue:
        """How the writer keeps up."""

    def follow_records(self, listener: RecordListener) -> None:
        """Call `listener` with every record there is, as if just made, and from then on with
        the changes of each commit, before whoever caused it gets its answer."""

    def follow_commits(self, listener: CommitListener) -> None:
        """Call `listener` after each commit, whoever made it, once its changes can be read."""

    async def get(self, zone_id: str, address: Address) -> Mapping | None:
        """The mapping of one address, as of the last commit."""

    def get_now(self, zone_id: str, address: Address) -> Mapping | None:
        """As `get`, for a store that reads without waiting; None from one that does not."""

    async def page(self, zone_id: str, offset: int, limit: int) -> Page:
        """Mappings of a zone from `offset` on, at most `limit`; empty past the end."""

    def page_now(self, zone_id: str, offset: int, limit: int) -> Page | None:
        """As `page`, for a store that reads without waiting; None from one that does not."""

    async def count_places(self, zone_ids: Sequence[str]) -> list[Count]:
        """How many mappings of each region these zones have; zones without any are left out."""

    def refuse_writes(self, error: OriginmapError) -> None:
        """From now on `write` and `write_records` raise `error`; `load` and `apply` go on."""

    def write(
        self, zone_id: str, addresses: Sequence[Address], decide: Decide[T], cause: Cause
    ) -> asyncio.Future[Committed[T]]:
        """Decide about some mappings of one zone and commit.

        Done when the changes are durable. A decision without changes leaves no trace, and is done
        when everything it was based on is durable. The future gets what `decide` raises, with
        nothing written, and ZoneNotFound when the zone is gone. Raises StoreBusy when the queue is
        full. No coroutine, because on the wire a task would be needed to wait for one.
        """

    async def write_records(
        self, decide: RecordDecide[T], cause: Cause, seen: int | None = None
    ) -> Committed[T]:
        """Decide about records and commit; as `write`, but a coroutine. Raises Stale if anything,
        mappings included, was committed after revision `seen`.

        A zone that goes takes its mappings with it: each gets a change record before the zone's.
        """

    async def changes(self, since: int, limit: int, zone_id: str | None = None) -> list[Change]:
        """Committed changes after revision `since`, in order, at most `limit`, and fewer if their
        records are large: only an empty list says that there are no more. Of one zone and its
        mappings, where it is given. What is older than `oldest` is left out.

        No read tells of a revision beyond `revision`, as that is when the read is done.
        """

    async def changes_before(
        self,
        revision: int,
        limit: int,
        zone_id: str | None = None,
        address: Address | None = None,
    ) -> list[Change]:
        """Committed changes before `revision`, newest first, as many as `changes` gives; of one
        zone and its mappings, or of the mapping of one address of it, where they are given."""

    async def last_record_change(self, key: Key) -> Change | None:
        """The last change of one record, which may be gone."""

    async def forget(self, up_to: int, limit: int) -> int:
        """Drop the oldest changes from the history, those up to revision `up_to`, at most
        `limit` of them; how many. The last change of all is always kept."""

    def snapshot(self, *, history: bool = False) -> AsyncGenerator[Part, None]:
        """Everything there is, as of one revision, whatever is written meanwhile; its history
        too, where that is asked for. Close the generator when it is not read to its end."""

    async def load(self, parts: AsyncIterator[Part]) -> None:
        """Become a replica: replace everything by a snapshot, its epoch and revision included.

        Raises what `parts` raises; what was there is there still then.
        """

    async def apply(self, changes: Sequence[Change]) -> None:
        """Take over changes that another database committed, as they are: revisions, times and
        causes. Raises BrokenFeed, with nothing written, unless they are the next after
        `revision` and without a gap, and each begins with what is stored here."""

    async def promote(self) -> None:
        """Become a database of its own, under a new epoch; nothing else changes."""

    async def size(self) -> int:
        """Bytes that the database takes on disk; 0 for one that keeps nothing there."""

    def room(self) -> int | None:
        """Bytes that the database can still grow by on its disk; None where that is not known."""

    async def close(self) -> None:
        """Commit what is queued, then let go of the database. Writes after this are refused."""

"""The contract of a store. One test suite runs on every implementation.

Rules decide, stores keep: a store has one write method for mappings and one for records. Each
takes a pure decide function, reads what it needs, calls it, and writes what it returns together
with the change records and the next revisions, all in one transaction. All checking ends before
the first write, so a write that is refused leaves others in the same transaction alone.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, TypeVar

from originmap.domain.address import Address
from originmap.domain.change import Cause, Change, Committed
from originmap.domain.mapping import Decide, Mapping
from originmap.domain.record import Key, RecordChange, RecordDecide
from originmap.domain.whatif import Count

T = TypeVar("T")

RecordListener = Callable[[Sequence[RecordChange]], None]


class Page(NamedTuple):
    """A part of a zone's mappings, in the order of their addresses, and how many it has."""

    mappings: list[Mapping]
    total: int


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
    def writable(self) -> bool:
        """Whether the last commit worked; what readiness is judged by."""

    def follow_records(self, listener: RecordListener) -> None:
        """Call `listener` with every record there is, as if just made, and from then on with
        the changes of each commit, before whoever caused it gets its answer."""

    async def get(self, zone_id: str, address: Address) -> Mapping | None:
        """The mapping of one address, as of the last commit."""

    def get_now(self, zone_id: str, address: Address) -> Mapping | None:
        """As `get`, for a store that reads without waiting; None from one that does not."""

    async def page(self, zone_id: str, offset: int, limit: int) -> Page:
        """Mappings of a zone from `offset` on, at most `limit`; empty past the end."""

    async def count_places(self, zone_ids: Sequence[str]) -> list[Count]:
        """How many mappings of each region these zones have; zones without any are left out."""

    async def write(
        self, zone_id: str, addresses: Sequence[Address], decide: Decide[T], cause: Cause
    ) -> Committed[T]:
        """Decide about some mappings of one zone and commit.

        Returns after the changes are durable. A decision without changes leaves no trace, and
        returns after everything it was based on is durable. Raises what `decide` raises, with
        nothing written; ZoneNotFound when the zone is gone; StoreBusy when the queue is full.
        """

    async def write_records(self, decide: RecordDecide[T], cause: Cause) -> Committed[T]:
        """Decide about records and commit; as `write`.

        A zone that goes takes its mappings with it: each gets a change record before the zone's.
        """

    async def changes(self, since: int, limit: int) -> list[Change]:
        """Committed changes after revision `since`, in order, at most `limit`."""

    async def changes_before(self, revision: int, limit: int) -> list[Change]:
        """Committed changes before `revision`, newest first, at most `limit`."""

    async def last_record_change(self, key: Key) -> Change | None:
        """The last change of one record, which may be gone."""

    async def close(self) -> None:
        """Commit what is queued, then let go of the database. Writes after this are refused."""

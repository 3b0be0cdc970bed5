"""The base of the stores with group commit: a queue of writes in order of arrival."""

import asyncio
from collections.abc import Sequence
from typing import TypeVar

from originmap.domain.errors import OriginmapError
from originmap.domain.history.change import Cause, Committed
from originmap.domain.history.record import RecordDecide
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Decide
from originmap.store.group import CommitGroup, GroupCommit, Write
from originmap.store.port import Queue

T = TypeVar("T")


class GroupStore:
    """The write side of a `store.port.Store` that commits in groups."""

    def __init__(self, commit: CommitGroup) -> None:
        self._group = GroupCommit(commit)

    @property
    def queue(self) -> Queue:
        return self._group.queue

    def refuse_writes(self, error: OriginmapError) -> None:
        self._group.refuse(error)

    def write(
        self, zone_id: str, addresses: Sequence[Address], decide: Decide[T], cause: Cause
    ) -> asyncio.Future[Committed[T]]:
        return self._group.submit(Write(cause, zone_id, addresses, decide))

    async def write_records(
        self, decide: RecordDecide[T], cause: Cause, seen: int | None = None
    ) -> Committed[T]:
        return await self._group.submit(Write(cause, decide_records=decide, seen=seen))

"""Reads of single mappings from PostgreSQL: concurrent reads share a statement, as writes share a
commit.

A statement is sent after all of its reads have been requested, so that no read is older than a
response that the caller has received.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Mapping
from originmap.store.postgres.array import of_bytes, of_texts
from originmap.store.postgres.history import place_of

_GET = """
    SELECT number, place, modified_on, revision
    FROM unnest($1::text::text[], $2::text::bytea[]) WITH ORDINALITY
        AS asked (zone_id, address, number)
    JOIN mapping USING (zone_id, address)"""
_AT_ONCE = 2
"""Concurrent statements: while one waits for the server, the results of the other are processed."""
_MAX_READS = 500
"""Mappings per statement; limits how long its result occupies the event loop."""


Rows = Callable[..., Awaitable[list[Any]]]
"""Returns the rows of a statement, given with its arguments."""


class _Read(NamedTuple):
    zone_id: str
    address: Address
    result: asyncio.Future[Mapping | None]


class Reads:
    """Reads mappings."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._waiting: list[_Read] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def get(self, zone_id: str, address: Address) -> asyncio.Future[Mapping | None]:
        """Read the mapping of one address, None if it does not exist; the future may fail with
        what reading rows raises."""
        loop = asyncio.get_running_loop()
        request = _Read(zone_id, address, loop.create_future())
        self._waiting.append(request)
        if len(self._tasks) < _AT_ONCE:
            task = loop.create_task(self._run())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return request.result

    async def _run(self) -> None:
        while self._waiting:
            requests = self._waiting[:_MAX_READS]
            del self._waiting[:_MAX_READS]
            try:
                results = await self._read(requests)
            except Exception as error:
                for request in requests:
                    if not request.result.done():
                        request.result.set_exception(error)
            else:
                for request, result in zip(requests, results, strict=True):
                    if not request.result.done():  # else the caller was cancelled
                        request.result.set_result(result)

    async def _read(self, requests: list[_Read]) -> list[Mapping | None]:
        """Read the mappings of `requests`, in their order."""
        keys = of_texts([r.zone_id for r in requests]), of_bytes([r.address for r in requests])
        results: list[Mapping | None] = [None] * len(requests)
        for number, place, modified_on, revision in await self._rows(_GET, *keys):
            address = requests[number - 1].address
            results[number - 1] = Mapping(address, place_of(place), modified_on, revision)
        return results

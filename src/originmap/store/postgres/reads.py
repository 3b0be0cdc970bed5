"""Reading single mappings from PostgreSQL: those that are asked for at the same time share a
statement, as writes share a commit.

A statement is sent after everything that it is to tell was asked for, so nobody reads what is
older than an answer they got.
"""

import asyncio
from typing import NamedTuple

from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Mapping
from originmap.store.postgres.array import of_bytes, of_texts
from originmap.store.postgres.history import place_of
from originmap.store.postgres.pool import Readers

_GET = """
    SELECT number, place, modified_on, revision
    FROM unnest($1::text::text[], $2::text::bytea[]) WITH ORDINALITY
        AS asked (zone_id, address, number)
    JOIN mapping USING (zone_id, address)"""
_AT_ONCE = 2
"""Statements under way: while one is waited for, the answers of the other are made."""
_MOST_ASKED = 500
"""Mappings in a statement: bounds how long its answer keeps the event loop busy."""


class _Asked(NamedTuple):
    zone_id: str
    address: Address
    found: asyncio.Future[Mapping | None]


class Reads:
    """Reads mappings."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers
        self._waiting: list[_Asked] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def get(self, zone_id: str, address: Address) -> asyncio.Future[Mapping | None]:
        """The mapping of one address, None where there is none, or StoreFailed."""
        loop = asyncio.get_running_loop()
        asked = _Asked(zone_id, address, loop.create_future())
        self._waiting.append(asked)
        if len(self._tasks) < _AT_ONCE:
            task = loop.create_task(self._run())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return asked.found

    async def _run(self) -> None:
        while self._waiting:
            asked = self._waiting[:_MOST_ASKED]
            del self._waiting[:_MOST_ASKED]
            try:
                results = await self._read(asked)
            except Exception as error:
                for each in asked:
                    if not each.found.done():
                        each.found.set_exception(error)
            else:
                for each, result in zip(asked, results, strict=True):
                    if not each.found.done():  # else whoever asked went away
                        each.found.set_result(result)

    async def _read(self, asked: list[_Asked]) -> list[Mapping | None]:
        """What is there of what is asked for, in its order."""
        keys = of_texts([each.zone_id for each in asked]), of_bytes([e.address for e in asked])
        results: list[Mapping | None] = [None] * len(asked)
        for number, place, modified_on, revision in await self._readers.rows(_GET, *keys):
            address = asked[number - 1].address
            results[number - 1] = Mapping(address, place_of(place), modified_on, revision)
        return results

"""Reading and writing the mappings of a zone."""

import asyncio
from collections.abc import Callable, Generator, Sequence
from typing import Any, Generic, TypeVar

from originmap.domain.errors import MappingNotFound
from originmap.domain.history.change import Cause, Committed
from originmap.domain.mapping import batch, mapping
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.catalogue import CatalogueSource
from originmap.domain.mapping.mapping import IfMatch, Mapping
from originmap.store.port import Page, Store

S = TypeVar("S")
T = TypeVar("T")


class Writing(Generic[T]):
    """A write that waits for its commit; await it for the result."""

    __slots__ = ("_result", "ready")

    def __init__(
        self, ready: asyncio.Future[Committed[S]], result: Callable[[Committed[S]], T]
    ) -> None:
        self.ready: asyncio.Future[Any] = ready
        self._result: Callable[[Any], T] = result

    def __await__(self) -> Generator[object, None, T]:
        yield from self.ready.__await__()
        return self.result()

    def result(self) -> T:
        """Return the result of the write once `ready` is done. Raises what the store and the rule
        raise."""
        return self._result(self.ready.result())


class Mappings:
    """The use cases of the Origin Cloud Regions API. The caller checks permissions.

    Besides the errors named, each method raises the errors of `Store`.
    """

    def __init__(self, store: Store, catalogue: CatalogueSource) -> None:
        self._store = store
        self._catalogue = catalogue

    async def get(self, zone_id: str, address: Address) -> Mapping:
        """Return the mapping of one address. Raises MappingNotFound."""
        stored = await self._store.get(zone_id, address)
        if stored is None:
            raise MappingNotFound
        return stored

    def page_now(self, zone_id: str, page: int, per_page: int) -> Page | None:
        """Return a page if it can be read without waiting, else None."""
        return self._store.page_now(zone_id, (page - 1) * per_page, per_page)

    def get_now(self, zone_id: str, address: Address) -> Mapping | None:
        """Return the mapping of one address if it can be read without waiting, else None."""
        return self._store.get_now(zone_id, address)

    async def page(self, zone_id: str, page: int, per_page: int) -> Page:
        """Return page `page` (from 1) of `per_page` mappings, in the order of addresses."""
        return await self._store.page(zone_id, (page - 1) * per_page, per_page)

    async def all(self, zone_id: str) -> list[Mapping]:
        """Return every mapping of the zone, in the order of addresses."""
        return (await self._store.page(zone_id, 0, mapping.MAX_MAPPINGS)).mappings

    def put(
        self,
        zone_id: str,
        address: Address,
        vendor: str | None,
        region: str | None,
        cause: Cause,
        condition: IfMatch | None = None,
    ) -> Writing[Mapping]:
        """Create or replace one mapping. Raises UnknownRegion; when awaited, TooManyMappings,
        Stale."""
        place = batch.known_place(vendor, region, self._catalogue())
        decide = mapping.matching(mapping.put(address, place), address, condition)
        return Writing(
            self._store.write(zone_id, (address,), decide, cause),
            lambda done: done.outcome or Mapping(address, place, done.at, done.revision),
        )

    async def create(
        self,
        zone_id: str,
        address: Address,
        vendor: str | None,
        region: str | None,
        cause: Cause,
    ) -> Mapping:
        """Create one mapping. Raises UnknownRegion; when awaited, MappingExists,
        TooManyMappings."""
        place = batch.known_place(vendor, region, self._catalogue())
        decide = mapping.create(address, place)
        done = await self._store.write(zone_id, (address,), decide, cause)
        return Mapping(address, place, done.at, done.revision)

    def delete(
        self, zone_id: str, address: Address, cause: Cause, condition: IfMatch | None = None
    ) -> Writing[Mapping]:
        """Delete one mapping and return it. Raises, when awaited, MappingNotFound, Stale."""
        decide = mapping.matching(mapping.delete(address), address, condition)
        return Writing(self._store.write(zone_id, (address,), decide, cause), _outcome)

    def put_many(
        self, zone_id: str, items: Sequence[batch.Sent], cause: Cause
    ) -> Writing[batch.Outcome]:
        """Create or replace many mappings, each on its own. Raises, when awaited, TooManyMappings:
        then none is written."""
        checked = batch.check_upserts(items, self._catalogue())
        addresses = tuple(checked.succeeded)
        if not addresses:
            return Writing(_done(checked), _outcome)
        return Writing(
            self._store.write(zone_id, addresses, batch.upsert(checked), cause), _outcome
        )

    def delete_many(
        self, zone_id: str, texts: Sequence[str | None], cause: Cause
    ) -> Writing[batch.Outcome]:
        """Delete many mappings, each on its own."""
        addresses, decide = batch.delete(texts)
        return Writing(self._store.write(zone_id, addresses, decide, cause), _outcome)


def _outcome(done: Committed[T]) -> T:
    return done.outcome


def _done(outcome: T) -> asyncio.Future[Committed[T]]:
    """Return a write that is already complete, as there is nothing to commit."""
    future: asyncio.Future[Committed[T]] = asyncio.get_running_loop().create_future()
    future.set_result(Committed(0, 0, outcome))
    return future

"""Reading and writing the mappings of a zone."""

import asyncio
from collections.abc import Generator, Sequence
from typing import Any, NamedTuple

from originmap.domain import batch, mapping
from originmap.domain.address import Address
from originmap.domain.catalogue import Catalogue
from originmap.domain.change import Cause, Committed
from originmap.domain.errors import MappingNotFound
from originmap.domain.mapping import IfMatch, Mapping, Place
from originmap.store.port import Page, Store


class Putting(NamedTuple):
    """A mapping that is being created or replaced; awaited, what is stored."""

    address: Address
    place: Place
    committed: asyncio.Future[Committed[Mapping | None]]

    def __await__(self) -> Generator[Any, None, Mapping]:
        yield from self.committed.__await__()
        return self.mapping()

    def mapping(self) -> Mapping:
        """What is stored, once it is committed. Raises what `Mappings.put` raises."""
        done = self.committed.result()
        return done.outcome or Mapping(self.address, self.place, done.at, done.revision)


class Mappings:
    """The use cases of the Origin Cloud Regions API, for a caller whose rights were checked.

    Besides the errors named, each raises what `Store` raises.
    """

    def __init__(self, store: Store, catalogue: Catalogue) -> None:
        self._store = store
        self._catalogue = catalogue

    async def get(self, zone_id: str, address: Address) -> Mapping:
        """The mapping of one address. Raises MappingNotFound."""
        found = await self._store.get(zone_id, address)
        if found is None:
            raise MappingNotFound
        return found

    def get_now(self, zone_id: str, address: Address) -> Mapping | None:
        """The mapping of one address, where it can be read without waiting; else None."""
        return self._store.get_now(zone_id, address)

    async def page(self, zone_id: str, page: int, per_page: int) -> Page:
        """Page number `page` (from 1) of `per_page` mappings, in the order of addresses."""
        return await self._store.page(zone_id, (page - 1) * per_page, per_page)

    async def all(self, zone_id: str) -> list[Mapping]:
        """Every mapping of the zone, in the order of addresses."""
        return (await self._store.page(zone_id, 0, mapping.MAX_MAPPINGS)).mappings

    def put(
        self,
        zone_id: str,
        address: Address,
        vendor: str | None,
        region: str | None,
        cause: Cause,
        condition: IfMatch | None = None,
    ) -> Putting:
        """Create or replace one mapping. Raises UnknownRegion; awaited, TooManyMappings, Stale."""
        place = batch.known_place(vendor, region, self._catalogue)
        decide = mapping.matching(mapping.put(address, place), address, condition)
        return Putting(address, place, self._store.write(zone_id, (address,), decide, cause))

    async def create(
        self,
        zone_id: str,
        address: Address,
        vendor: str | None,
        region: str | None,
        cause: Cause,
    ) -> Mapping:
        """As `put`, and raises MappingExists where there is a mapping."""
        place = batch.known_place(vendor, region, self._catalogue)
        decide = mapping.create(address, place)
        done = await self._store.write(zone_id, (address,), decide, cause)
        return Mapping(address, place, done.at, done.revision)

    async def delete(
        self, zone_id: str, address: Address, cause: Cause, condition: IfMatch | None = None
    ) -> Mapping:
        """Remove one mapping and return what it was. Raises MappingNotFound, Stale."""
        decide = mapping.matching(mapping.delete(address), address, condition)
        done = await self._store.write(zone_id, (address,), decide, cause)
        return done.outcome

    async def put_many(
        self, zone_id: str, items: Sequence[batch.Sent], cause: Cause
    ) -> batch.Outcome:
        """Create or replace many, each on its own. Raises TooManyMappings, applying none."""
        checked = batch.check_upserts(items, self._catalogue)
        addresses = tuple(checked.succeeded)
        if not addresses:
            return checked
        done = await self._store.write(zone_id, addresses, batch.upsert(checked), cause)
        return done.outcome

    async def delete_many(
        self, zone_id: str, texts: Sequence[str | None], cause: Cause
    ) -> batch.Outcome:
        """Remove many, each on its own."""
        addresses, decide = batch.delete(texts)
        done = await self._store.write(zone_id, addresses, decide, cause)
        return done.outcome

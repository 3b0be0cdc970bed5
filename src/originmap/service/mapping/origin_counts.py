"""Counts the origins of many zones by region, between other work."""

from collections.abc import AsyncIterator, Iterable

from originmap.domain.tier.whatif import Count
from originmap.service.turns import Turns
from originmap.store.port import Store


async def origin_counts(
    store: Store, zone_ids: Iterable[str], turns: Turns
) -> AsyncIterator[Count]:
    """Yield the counts of each zone, in a turn of its own: a full zone has 3,500 mappings, which a
    store may count without a pause. Raises StoreError."""
    for zone_id in zone_ids:
        await turns.next()
        for count in await store.count_places([zone_id]):
            yield count

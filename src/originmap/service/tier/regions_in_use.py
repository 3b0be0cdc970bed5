"""The regions with their upper tiers, and the number of origins that zones have in each."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from originmap.domain.mapping.catalogue import CatalogueSource, Region
from originmap.domain.mapping.mapping import Place
from originmap.domain.tier.resolution import Mode, resolve
from originmap.domain.tier.tier import Tier
from originmap.domain.zone.zone import Zone
from originmap.service.mapping.origin_counts import origin_counts
from originmap.service.tier.topology import Topologies
from originmap.store.port import Store


class ZoneOrigins(NamedTuple):
    """The number of a zone's origins in a region, and the way in which caches fill from them."""

    zone: Zone
    origins: int
    mode: Mode


class RegionUse(NamedTuple):
    """A region with its upper tier and its origins by zone. `region` and `tier` are None if the
    catalogue does not have the region any more."""

    place: Place
    region: Region | None
    tier: Tier | None
    zones: list[ZoneOrigins]


class RegionsInUse:
    """Counts the origins of zones by region."""

    def __init__(self, store: Store, catalogue: CatalogueSource, topologies: Topologies) -> None:
        self._store = store
        self._catalogue = catalogue
        self._topologies = topologies
        self.turns = topologies.turns

    @property
    def revision(self) -> int:
        """The newest revision."""
        return self._store.revision

    async def of(self, zones: Sequence[Zone]) -> list[RegionUse]:
        """Return every region of the catalogue, and any other that these zones use, by vendor and
        name."""
        tiers = await self._topologies.all_tiers()
        used = defaultdict[Place, list[ZoneOrigins]](list)
        by_id = {zone.id: zone for zone in zones}
        async for count in origin_counts(self._store, by_id, self.turns):
            zone = by_id[count.zone_id]
            mode = resolve(zone, count.place, tiers).mode
            used[count.place].append(ZoneOrigins(zone, count.origins, mode))
        catalogue = self._catalogue()
        known = catalogue.places()
        return [
            RegionUse(place, catalogue.find(*place), tiers.of(place), used.get(place, []))
            for place in sorted({*known, *used})
        ]

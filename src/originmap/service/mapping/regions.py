"""The supported vendors and regions, with the upper tiers of each region."""

from typing import NamedTuple

from originmap.domain.errors import TieredCacheOff
from originmap.domain.mapping.catalogue import Catalogue, CatalogueSource, Region
from originmap.domain.mapping.mapping import Place
from originmap.domain.tier.tier import Tiers
from originmap.domain.zone.zone import Zone
from originmap.service.tier.topology import Topologies


class SupportedRegion(NamedTuple):
    """A region and its upper tiers, the primary first."""

    region: Region
    upper_tier_colos: tuple[str, ...]


class Regions:
    """The catalogue with the upper tiers of the current topology, computed once per topology
    and catalogue."""

    def __init__(self, catalogue: CatalogueSource, topologies: Topologies) -> None:
        self._catalogue = catalogue
        self._topologies = topologies
        self._supported: tuple[SupportedRegion, ...] = ()
        self._tiers: Tiers | None = None

    async def all(self) -> tuple[SupportedRegion, ...]:
        """Return every region, by vendor and name."""
        tiers = self._topologies.tiers()
        if tiers is not self._tiers:
            tiers = await self._topologies.all_tiers()
        if tiers is not self._tiers:
            self._tiers, self._supported = tiers, supported(self._catalogue(), tiers)
        return self._supported

    async def for_zone(self, zone: Zone) -> tuple[SupportedRegion, ...]:
        """Return every region, by vendor and name. Raises TieredCacheOff if the zone does not use
        tiered cache."""
        if not zone.tiered_cache.on:
            raise TieredCacheOff
        return await self.all()


def supported(catalogue: Catalogue, tiers: Tiers) -> tuple[SupportedRegion, ...]:
    """Return every region of a catalogue with its upper tiers."""
    return tuple(
        SupportedRegion(region, tiers.codes(Place(region.vendor, region.name)))
        for region in catalogue.regions()
    )

"""Which vendors and regions there are, and the upper tiers near each."""

from typing import NamedTuple

from originmap.domain.errors import TieredCacheOff
from originmap.domain.mapping.catalogue import Catalogue, Region
from originmap.domain.mapping.mapping import Place
from originmap.domain.tier.tier import Tiers
from originmap.domain.zone.zone import Zone
from originmap.service.tier.topology import Topologies


class SupportedRegion(NamedTuple):
    """A region and the colos that are its upper tiers, the primary first."""

    region: Region
    upper_tier_colos: tuple[str, ...]


class Regions:
    """The catalogue seen from the topology in force; worked out once for each."""

    def __init__(self, catalogue: Catalogue, topologies: Topologies) -> None:
        self._catalogue = catalogue
        self._topologies = topologies
        self._supported: tuple[SupportedRegion, ...] = ()
        self._tiers: Tiers | None = None

    async def all(self) -> tuple[SupportedRegion, ...]:
        """Every region, by vendor and name."""
        tiers = self._topologies.tiers()
        if tiers is not self._tiers:
            tiers = await self._topologies.all_tiers()
        if tiers is not self._tiers:
            self._tiers, self._supported = tiers, supported(self._catalogue, tiers)
        return self._supported

    async def for_zone(self, zone: Zone) -> tuple[SupportedRegion, ...]:
        """As `all`. Raises TieredCacheOff when the zone could not use any of it."""
        if not zone.tiered_cache.on:
            raise TieredCacheOff
        return await self.all()


def supported(catalogue: Catalogue, tiers: Tiers) -> tuple[SupportedRegion, ...]:
    """Every region of a catalogue with its upper tiers."""
    return tuple(
        SupportedRegion(region, tiers.codes(Place(region.vendor, region.name)))
        for region in catalogue.regions()
    )

"""Which vendors and regions there are, and the upper tiers near each."""

from collections.abc import Sequence
from typing import NamedTuple

from originmap.domain.catalogue import Catalogue, Region
from originmap.domain.errors import TieredCacheOff
from originmap.domain.tier import upper_tiers
from originmap.domain.topology import Colo
from originmap.domain.zone import Zone


class SupportedRegion(NamedTuple):
    """A region and the colos that would be its upper tiers, the primary first."""

    region: Region
    upper_tier_colos: tuple[str, ...]


class Regions:
    """The catalogue seen from the topology. The tiers are worked out once, when first asked."""

    def __init__(self, catalogue: Catalogue, colos: Sequence[Colo]) -> None:
        self._catalogue = catalogue
        self._colos = colos
        self._supported: tuple[SupportedRegion, ...] = ()

    def all(self) -> tuple[SupportedRegion, ...]:
        """Every region, by vendor and name."""
        if not self._supported:
            self._supported = tuple(
                SupportedRegion(
                    region, tuple(colo.code for colo in upper_tiers(region, self._colos))
                )
                for region in self._catalogue.regions()
            )
        return self._supported

    def for_zone(self, zone: Zone) -> tuple[SupportedRegion, ...]:
        """As `all`. Raises TieredCacheOff when the zone could not use any of it."""
        if not zone.tiered_cache.on:
            raise TieredCacheOff
        return self.all()

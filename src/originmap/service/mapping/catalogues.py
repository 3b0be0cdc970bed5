"""The current catalogue: the packaged regions and the own regions of the database."""

from collections.abc import Collection, Sequence

from originmap.domain.history.change import Cause
from originmap.domain.history.record import RecordChange
from originmap.domain.mapping.catalogue import Catalogue
from originmap.domain.mapping.mapping import Place
from originmap.domain.mapping.own_region_errors import RegionStillMapped
from originmap.domain.mapping.own_region_rules import change_regions, set_regions
from originmap.domain.mapping.own_regions import OwnRegion, OwnRegions, merged
from originmap.service.access.directory import Directory
from originmap.service.mapping.origin_counts import origin_counts
from originmap.service.turns import Turns
from originmap.store.port import Store


class Catalogues:
    """Tracks the record of own regions, and changes it."""

    def __init__(self, store: Store, directory: Directory, packaged: Catalogue) -> None:
        self._store = store
        self._directory = directory
        self._packaged = packaged
        self._own = OwnRegions()
        self._merged = packaged
        store.follow_records(self._apply)

    def packaged(self) -> Catalogue:
        """Return the catalogue without own regions."""
        return self._packaged

    def current(self) -> Catalogue:
        """Return the catalogue with the own regions: the same object until they change."""
        return self._merged

    @property
    def own(self) -> OwnRegions:
        """The own regions."""
        return self._own

    def with_own(self, own: OwnRegions) -> Catalogue:
        """Return the catalogue with other own regions, such as those of an earlier revision."""
        return self._merged if own == self._own else merged(self._packaged, own)

    async def set(self, regions: Sequence[OwnRegion], turns: Turns, cause: Cause) -> OwnRegions:
        """Replace all own regions. Raises InvalidCatalogue, RegionStillMapped."""
        kept = {each.place for each in regions}
        await self._refuse_mapped(self._own.by_place().keys() - kept, turns)
        decide = set_regions(regions, self._packaged)
        return (await self._store.write_records(decide, cause)).outcome

    async def change(
        self, added: Sequence[OwnRegion], removed: Sequence[Place], turns: Turns, cause: Cause
    ) -> OwnRegions:
        """Remove some own regions, and add or replace others. Raises InvalidCatalogue,
        RegionStillMapped."""
        kept = {each.place for each in added}
        await self._refuse_mapped({*removed} & self._own.by_place().keys() - kept, turns)
        decide = change_regions(added, removed, self._packaged)
        return (await self._store.write_records(decide, cause)).outcome

    async def _refuse_mapped(self, places: Collection[Place], turns: Turns) -> None:
        """Refuse to remove regions that mappings name. A mapping that is written at the same time
        may keep such a region: it is then served like that of an unknown one."""
        gone = {place for place in places if not self._packaged.knows(*place)}
        if not gone:
            return
        used: dict[tuple[str, str], int] = {}
        zone_ids = [zone.id for zone in self._directory.zones()]
        async for count in origin_counts(self._store, zone_ids, turns):
            if count.place in gone:
                used[count.place] = used.get(count.place, 0) + count.origins
        if used:
            raise RegionStillMapped(used)

    def _apply(self, changes: Sequence[RecordChange]) -> None:
        for change in changes:
            match change.before, change.after:
                case _, OwnRegions() as own:
                    self._own, self._merged = own, merged(self._packaged, own)
                case OwnRegions(), None:
                    self._own, self._merged = OwnRegions(), self._packaged

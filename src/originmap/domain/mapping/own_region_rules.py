"""Rules that set the own regions of a database."""

from collections.abc import Iterable, Sequence

from originmap.domain.history.record import (
    Key,
    Kind,
    RecordChange,
    RecordDecide,
    RecordDecision,
    RecordsView,
)
from originmap.domain.mapping.catalogue import Catalogue
from originmap.domain.mapping.mapping import Place
from originmap.domain.mapping.own_region_errors import InvalidCatalogue
from originmap.domain.mapping.own_regions import OwnRegion, OwnRegions, check
from originmap.domain.problems import first_problems

_KEY = Key(Kind.CATALOGUE, "catalogue")


def set_regions(regions: Sequence[OwnRegion], packaged: Catalogue) -> RecordDecide[OwnRegions]:
    """Replace all own regions. Raises InvalidCatalogue, also if a new one is packaged."""

    def decide(records: RecordsView) -> RecordDecision[OwnRegions]:
        stored = records.get(_KEY)
        before = stored if isinstance(stored, OwnRegions) else OwnRegions()
        after = check(regions)
        _refuse_packaged(after.by_place().keys() - before.by_place().keys(), packaged)
        if after == before:
            return RecordDecision((), after)
        change = RecordChange(_KEY, stored, after if after.regions else None)
        return RecordDecision((change,), after)

    return decide


def change_regions(
    added: Sequence[OwnRegion], removed: Sequence[Place], packaged: Catalogue
) -> RecordDecide[OwnRegions]:
    """Remove some own regions, then add or replace others. Raises InvalidCatalogue, also if a
    region to remove does not exist."""

    def decide(records: RecordsView) -> RecordDecision[OwnRegions]:
        stored = records.get(_KEY)
        left = stored.by_place() if isinstance(stored, OwnRegions) else {}
        missing = [place for place in removed if left.pop(place, None) is None]
        if missing:
            texts = (f"there is no own region {v} {r}" for v, r in missing)
            raise InvalidCatalogue(first_problems(texts))
        after = left | check(added).by_place()
        return set_regions([*after.values()], packaged)(records)

    return decide


def _refuse_packaged(places: Iterable[Place], packaged: Catalogue) -> None:
    """A region that is packaged already cannot be moved."""
    known = [place for place in sorted(places) if packaged.knows(*place)]
    if known:
        texts = (f"{v} {r} is in the packaged catalogue" for v, r in known)
        raise InvalidCatalogue(first_problems(texts))

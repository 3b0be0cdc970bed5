"""Errors of own regions: a branch of the tree in `domain.errors`.

OwnRegionError                  a change of own regions is refused
├── InvalidCatalogue            they are invalid; carries all `problems`
└── RegionStillMapped           mappings name a region to remove; carries `origins`
"""

from collections.abc import Mapping, Sequence

from originmap.domain.errors import OriginmapError


class OwnRegionError(OriginmapError):
    """The own regions cannot be changed as requested."""

    page = "catalogue.md"


class InvalidCatalogue(OwnRegionError):
    """The own regions are invalid. `problems` lists everything wrong with them."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class RegionStillMapped(OwnRegionError):
    """Own regions cannot be removed, because mappings name them. `origins` has the number of
    mappings of each."""

    hint = "change or delete these mappings first"

    def __init__(self, origins: Mapping[tuple[str, str], int]) -> None:
        counts = (f"{v} {r} has {count:,}" for (v, r), count in sorted(origins.items()))
        super().__init__(f"mappings name these regions: {', '.join(counts)}")
        self.origins = origins

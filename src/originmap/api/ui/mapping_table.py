"""The mappings of a zone as the page lists them: filters, the choice of regions, upper tiers."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from originmap.api.ui.visit import Visit

PER_PAGE = 100
_DETECTED_AT_ONCE = 1_000
_MISMATCH = "mismatch"

Regions = Mapping[str, list[dict[str, Any]]]
"""The regions of each vendor, with their upper tiers, as `supported_regions` answers."""


class MappingFilter(NamedTuple):
    """Which mappings to list; "" matches all. `region` is VENDOR/REGION, `since` the beginning of a
    time in UTC."""

    q: str = ""
    vendor: str = ""
    region: str = ""
    since: str = ""
    contradicts: str = ""

    @property
    def arguments(self) -> dict[str, str]:
        """The query arguments that lead here again."""
        return {name: value for name, value in self._asdict().items() if value}

    def matches(self, mapping: Mapping[str, Any]) -> bool:
        """Whether the mapping matches, `contradicts` aside."""
        place = place_of(mapping)
        text = f"{mapping['origin_ip']} {place}".lower()
        return (
            all(word in text for word in self.q.lower().split())
            and self.vendor in ("", mapping["vendor"])
            and self.region in ("", place)
            and self.since <= (mapping["modified_on"] or "")
        )


def filter_of(visit: Visit) -> MappingFilter:
    """The filter in the query of a page."""
    return MappingFilter(*(visit.query.get(name, "").strip() for name in MappingFilter._fields))


def place_of(mapping: Mapping[str, str]) -> str:
    """The region of a mapping as forms have it: VENDOR/REGION."""
    return f"{mapping['vendor']}/{mapping['region']}"


def upper_tiers(regions: Regions) -> dict[str, str]:
    """The preferred upper tier of each region, by VENDOR/REGION; "" if it has none."""
    return {
        f"{vendor}/{region['name']}": next(iter(region["upper_tier_colos"]), "")
        for vendor, listed in regions.items()
        for region in listed
    }


async def regions_for(visit: Visit, zone_id: str) -> Regions:
    """The regions that mappings of a zone can have."""
    url = f"/client/v4/zones/{zone_id}/origin/cloud_regions/supported_regions"
    regions: Regions = (await visit.get(url))["vendors"]
    return regions


async def mappings_of(visit: Visit, zone_id: str) -> list[dict[str, Any]]:
    """All mappings of a zone, in the order of their addresses."""
    found: list[dict[str, Any]] = (await visit.get(f"/originmap/v1/zones/{zone_id}/mappings"))[
        "mappings"
    ]
    return found


async def contradictions(visit: Visit, mappings: list[dict[str, Any]]) -> dict[str, str]:
    """What the published ranges say of the mappings that they contradict, by address."""
    found: dict[str, str] = {}
    for start in range(0, len(mappings), _DETECTED_AT_ONCE):
        claims = [_claim(mapping) for mapping in mappings[start : start + _DETECTED_AT_ONCE]]
        answer = await visit.send("POST", "/originmap/v1/detect", {"addresses": claims})
        found |= dict(_contradicted(answer.result["detections"]))
    return found


def _claim(mapping: Mapping[str, Any]) -> dict[str, Any]:
    return {"ip": mapping["origin_ip"], "vendor": mapping["vendor"], "region": mapping["region"]}


def _contradicted(detections: Iterable[dict[str, Any]]) -> Iterable[tuple[str, str]]:
    for detection in detections:
        if detection["verdict"] == _MISMATCH:
            evidence = detection["evidence"]
            yield detection["ip"], f"{evidence['vendor']} {evidence['region'] or ''}".strip()

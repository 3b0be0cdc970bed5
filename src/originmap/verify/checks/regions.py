"""supported_regions, and the settings of Tiered Cache, which are only read."""

from typing import Any

from originmap import data
from originmap.verify.check import check
from originmap.verify.expected import item, mapping, refusal, success
from originmap.verify.pattern import ANY, CLIENT_ERROR, FLAG, LIST, TEXT, Each, Expected, OneOf
from originmap.verify.trial import Trial

TIERED_CACHE_OFF = refusal(403, 1135, "Tiered Cache must be enabled for this zone.")
VENDORS = ["aws", "azure", "gcp", "oci"]
_SETTING = {"editable": FLAG, "value": OneOf(("on", "off")), "modified_on": ANY}


def regions_have_names_and_colos(trial: Trial) -> None:
    """supported_regions has obtained_codes, and regions with name and upper_tier_colos."""
    region = {"name": TEXT, "upper_tier_colos": LIST}
    listed = {"obtained_codes": FLAG, "vendors": {"aws": Each(region), "gcp": Each(region)}}
    trial.expect(_regions(trial), success(listed))


def the_example_holds(trial: Trial) -> None:
    """us-east-1, us-west-2 and us-central1 have the upper tiers of the published example."""
    by_vendor = _by_vendor(trial)
    for vendor, name, colos in (
        ("aws", "us-east-1", ["IAD", "EWR"]),
        ("aws", "us-west-2", ["SEA"]),
        ("gcp", "us-central1", ["ORD"]),
    ):
        found = by_vendor.get(vendor, {}).get(name, [])
        trial.compare(f"the upper tiers of {vendor} {name}", colos, found[: len(colos)])


def every_region_has_a_fallback(trial: Trial) -> None:
    """Every region has two or more upper tiers."""
    lonely = [
        f"{vendor} {name}"
        for vendor, regions in _by_vendor(trial).items()
        for name, colos in regions.items()
        if len(set(colos)) < 2
    ]
    trial.compare("the regions with fewer than two upper tiers", [], lonely)


def there_are_four_vendors(trial: Trial) -> None:
    """supported_regions has aws, azure, gcp and oci."""
    trial.compare("the vendors of supported_regions", VENDORS, sorted(_by_vendor(trial)))


def the_regions_are_those_of_the_catalogue(trial: Trial) -> None:
    """supported_regions has the regions of Originmap's catalogue."""
    listed = {
        f"{vendor} {name}" for vendor, regions in _by_vendor(trial).items() for name in regions
    }
    ours = {f"{region.vendor} {region.name}" for region in data.catalogue().regions()}
    trial.compare("regions that only the catalogue has", [], sorted(ours - listed))
    trial.compare("regions that only the server has", [], sorted(listed - ours))


def what_is_supported_can_be_mapped_to(trial: Trial) -> None:
    """PUT of the last region of each vendor in supported_regions."""
    for vendor, regions in _by_vendor(trial).items():
        if regions:
            address, name = trial.address(), [*regions][-1]
            answer = trial.put(address, item(address, vendor, name))
            trial.expect(answer, success(mapping(address, vendor, name)))


def tiered_cache_is_required(trial: Trial) -> None:
    """With Tiered Cache off, supported_regions is refused."""
    _need_tiered_cache(trial, "off")
    trial.expect(_regions(trial), Expected(CLIENT_ERROR, {"success": False}))


def without_tiered_cache(trial: Trial) -> None:
    """With Tiered Cache off, supported_regions is 403, code 1135, and a mapping can be written."""
    _need_tiered_cache(trial, "off")
    trial.expect(_regions(trial), TIERED_CACHE_OFF)
    address = trial.address()
    trial.expect(trial.put(address, item(address)), success(mapping(address)))


def tiered_cache_can_be_read(trial: Trial) -> None:
    """Tiered Cache has id, editable, value and modified_on."""
    answer = trial.ask_at(f"/zones/{trial.zone.id}/argo/tiered_caching")
    trial.expect(answer, success({"id": "tiered_caching", **_SETTING}))


def smart_tiered_cache_can_be_read(trial: Trial) -> None:
    """Smart Tiered Cache has id, editable, value and modified_on."""
    name = "tiered_cache_smart_topology_enable"
    answer = trial.ask_at(f"/zones/{trial.zone.id}/cache/{name}")
    trial.expect(answer, success({"id": name, **_SETTING}))


def regional_tiered_cache_can_be_read(trial: Trial) -> None:
    """Regional Tiered Cache has the id tc_regional."""
    answer = trial.ask_at(f"/zones/{trial.zone.id}/cache/regional_tiered_cache")
    trial.expect(answer, success({"id": "tc_regional", **_SETTING}))


def _regions(trial: Trial) -> Any:
    return trial.ask("GET", "/supported_regions")


def _by_vendor(trial: Trial) -> dict[str, dict[str, list[str]]]:
    """The upper tiers by vendor and region. Raises NotTried."""
    answer = _regions(trial)
    region = {"name": TEXT, "upper_tier_colos": LIST}
    vendors = answer.result.get("vendors") if isinstance(answer.result, dict) else None
    trial.need(answer.succeeded, f"supported_regions answers {answer.status}")
    trial.need(
        isinstance(vendors, dict)
        and all(Expected(200, Each(region)).fits(200, {}, each) for each in vendors.values()),
        "supported_regions has another form",
    )
    assert isinstance(vendors, dict)
    return {
        vendor: {each["name"]: each["upper_tier_colos"] for each in regions}
        for vendor, regions in vendors.items()
    }


def _need_tiered_cache(trial: Trial, value: str) -> None:
    answer = trial.ask_at(f"/zones/{trial.zone.id}/argo/tiered_caching")
    found = answer.result.get("value") if isinstance(answer.result, dict) else None
    trial.need(found == value, f"Tiered Cache is not {value} in this zone, and stays as it is")


CHECKS = (
    check(regions_have_names_and_colos, "P-SUP-1"),
    check(tiered_cache_is_required, "P-SUP-2"),
    check(without_tiered_cache, "D-16"),
    check(the_example_holds, "P-SUP-3"),
    check(every_region_has_a_fallback, "P-SUP-4"),
    check(there_are_four_vendors, "P-GEN-9"),
    check(the_regions_are_those_of_the_catalogue, "U-15"),
    check(what_is_supported_can_be_mapped_to, "P-PUT-8"),
    check(tiered_cache_can_be_read, "P-SET-1"),
    check(smart_tiered_cache_can_be_read, "P-SET-1"),
    check(regional_tiered_cache_can_be_read, "P-SET-3"),
)

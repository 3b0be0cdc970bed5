"""Resolution: modes, pools, and the resolver in the process."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from originmap import Resolver, data
from originmap.domain.errors import InvalidAddress
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Place
from originmap.domain.tier.resolution import Mode, Resolution, resolve, resolve_pool
from originmap.domain.tier.tier import Tiers
from originmap.domain.zone.zone import Switch
from tests.builders import CENTRAL, US_EAST, US_WEST, ip, zone

CATALOGUE = data.catalogue()
TIERS = Tiers(CATALOGUE, data.topology(), {})
PLACES = [Place(region.vendor, region.name) for region in CATALOGUE.regions()]
ZONE = zone()


def _codes(resolution: Resolution) -> list[str]:
    assert resolution.tier is not None
    return [ranked.colo.code for ranked in resolution.tier.chosen]


def test_a_mapped_origin_resolves_to_its_regions_upper_tier() -> None:
    found = resolve(ZONE, US_EAST, TIERS)
    assert (found.mode, found.place, _codes(found)) == (Mode.HINT, US_EAST, ["IAD", "EWR"])
    assert found.reason == "IAD: nearest to aws us-east-1, 11 km"


def test_an_unmapped_origin_resolves_to_all_eligible_colos() -> None:
    found = resolve(ZONE, None, TIERS)
    assert (found.mode, found.tier, found.eligible) == (Mode.GENERIC, None, TIERS.eligible)
    assert len(found.eligible) == 75


def test_a_region_outside_the_catalogue_resolves_to_mode_generic() -> None:
    found = resolve(ZONE, Place("aws", "us-nowhere-1"), TIERS)
    assert (found.mode, found.reason) == (
        Mode.GENERIC,
        "where aws us-nowhere-1 is, is not known",
    )


def test_settings_take_precedence_over_mappings() -> None:
    plain = replace(ZONE, smart_tiered_cache=Switch(False))
    assert resolve(plain, US_EAST, TIERS).mode is Mode.GENERIC
    off = replace(plain, tiered_cache=Switch(False))
    assert resolve(off, US_EAST, TIERS).mode is Mode.OFF
    assert resolve_pool(off, [US_EAST], TIERS).mode is Mode.OFF


def test_a_pool_gets_one_upper_tier_for_the_members_that_are_mapped() -> None:
    alone = resolve(ZONE, US_WEST, TIERS)
    assert _codes(resolve_pool(ZONE, [None, US_WEST, None], TIERS)) == _codes(alone)
    both = resolve_pool(ZONE, [US_EAST, CENTRAL], TIERS)
    assert both.mode is Mode.HINT
    assert both.tier is not None
    totals = [ranked.distance_km for ranked in both.tier.ranking]
    assert totals == sorted(totals)
    for nothing in ([], [None], [Place("aws", "nowhere")]):
        assert resolve_pool(ZONE, nothing, TIERS).mode is Mode.GENERIC


@given(st.dictionaries(st.sampled_from([f"192.0.2.{n}" for n in range(9)] + ["2001:db8::1"]),
                       st.sampled_from(PLACES)), st.integers(0, 9))  # fmt: skip
def test_the_resolver_agrees_with_resolve(mapped: dict[str, Place], number: int) -> None:
    mappings: dict[Address, Place] = {ip(text): place for text, place in mapped.items()}
    resolver = Resolver(7, {"example.com": (ZONE, mappings)}, TIERS)
    assert resolver.revision == 7
    expected = resolve(ZONE, mapped.get(f"192.0.2.{number}"), TIERS)
    for spelling in (f"192.0.2.{number}", f"::ffff:192.0.2.{number}"):
        assert resolver.resolve("example.com", spelling) == expected
    assert resolver.resolve("example.com", "2001:DB8:0::1") == resolve(
        ZONE, mapped.get("2001:db8::1"), TIERS
    )


def test_the_resolver_raises_for_unknown_zones_and_invalid_addresses() -> None:
    resolver = Resolver(1, {"example.com": (ZONE, {})}, TIERS)
    with pytest.raises(KeyError):
        resolver.resolve("example.org", "192.0.2.1")
    with pytest.raises(InvalidAddress):
        resolver.resolve("example.com", "nonsense")

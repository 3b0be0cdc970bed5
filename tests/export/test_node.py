"""The chain of each origin, which ends before the node's own colo."""

from dataclasses import replace

import pytest

from originmap.domain.errors import InvalidExport, InvalidZoneName
from originmap.domain.mapping.mapping import Place
from originmap.domain.tier.chain import Chain
from originmap.domain.tier.resolution import Mode
from originmap.domain.zone.zone import Switch, Zone
from originmap.export.endpoint import read
from originmap.export.node import Node, name_of
from tests.export.samples import FRANKFURT, NOWHERE, TOKYO, VIRGINIA, ZONES, node, stored

EXAMPLE, OFF, GENERIC, *_ = ZONES


def chain_of(of: Node, zone: Zone = EXAMPLE, place: Place = VIRGINIA) -> Chain:
    (row,) = of.part(zone, stored({"192.0.2.1": place})).rows
    return row.chain


def test_an_origin_is_filled_from_its_upper_tier_and_then_its_fallback() -> None:
    assert chain_of(node("SIN")) == ("IAD", "FRA")
    assert chain_of(node("SIN"), place=TOKYO) == ("NRT", "FRA")


def test_a_node_in_the_upper_tier_fills_from_the_origin() -> None:
    assert chain_of(node("IAD")) == ()


def test_a_node_in_the_fallback_fills_from_the_upper_tier() -> None:
    assert chain_of(node("FRA")) == ("IAD",)


def test_an_unmapped_origin_is_filled_from_the_nearest_colos() -> None:
    assert node("SIN").part(EXAMPLE, ()).default == ("NRT", "FRA")
    assert chain_of(node("SIN"), place=NOWHERE) == ("NRT", "FRA")
    assert chain_of(node("SIN"), GENERIC) == ("NRT", "FRA")
    assert node("NRT").part(EXAMPLE, ()).default == ()


def test_a_node_without_a_colo_fills_unmapped_origins_directly() -> None:
    assert node(None).part(EXAMPLE, ()).default == ()
    assert chain_of(node(None)) == ("IAD", "FRA")


def test_with_tiered_cache_off_the_node_fills_from_the_origin() -> None:
    part = node("SIN").part(OFF, stored({"192.0.2.1": FRANKFURT}))
    assert (part.default, part.rows[0].chain, part.rows[0].mode) == ((), (), Mode.OFF)


def test_every_region_has_a_chain_even_if_it_has_no_mapping() -> None:
    assert node("SIN", zones=()).chains == (("FRA", "IAD"), ("IAD", "FRA"), ("NRT", "FRA"))
    assert [colo.code for colo in node("IAD").colos()] == ["FRA", "NRT"]


def test_an_unknown_colo_is_rejected() -> None:
    with pytest.raises(InvalidExport, match="there is no colo LHR"):
        node("LHR")


def test_a_zone_with_an_invalid_name_is_rejected() -> None:
    with pytest.raises(InvalidZoneName):
        node(zones=[Zone("1" * 32, 'a.example" {', "account", 1, 1)])


def test_a_colo_without_an_upstream_address_is_rejected() -> None:
    node().check_endpoints()
    with pytest.raises(InvalidExport, match="FRA"):
        node(endpoints=read(["IAD=192.0.2.1:80"])).check_endpoints()


@pytest.mark.parametrize(
    ("chain", "name"),
    [((), "originmap-origin"), (("IAD",), "originmap_iad"), (("IAD", "A1"), "originmap_iad_a1")],
)
def test_chains_have_unique_names(chain: Chain, name: str) -> None:
    assert name_of(chain) == name


def test_the_settings_of_a_zone_are_part_of_the_identity() -> None:
    zones = [
        EXAMPLE,
        replace(EXAMPLE, name="other.example"),
        replace(EXAMPLE, tiered_cache=Switch(False)),
        replace(EXAMPLE, smart_tiered_cache=Switch(False)),
    ]
    assert len({repr(node(zones=[zone]).identity()) for zone in zones}) == len(zones)

"""The caches of colos: their states, and how they are validated."""

from dataclasses import replace
from typing import Any

import pytest

from originmap.domain.errors import InvalidTopology
from originmap.domain.tier.cache import MAX_CACHES_OF_COLO, Cache, CacheState, serving
from originmap.domain.tier.topology import Colo, ColoState, GenericTier, HashPart, Topology
from originmap.domain.tier.topology_problems import check

ONE, TWO = Cache("iad-1", "192.0.2.1"), Cache("iad-2", "iad-2.example.net", 8080, 2)


def _colo(code: str, *caches: Cache, **members: Any) -> Colo:
    return Colo(code, "Town", "US", 1.0, 2.0, caches=caches, **members)


def _with(cache: Cache, state: str) -> Cache:
    return replace(cache, state=CacheState(state))


def test_draining_caches_serve_only_if_none_is_active() -> None:
    assert serving([TWO, ONE]) == (ONE, TWO)
    assert serving([_with(ONE, "draining"), TWO]) == (TWO,)
    assert serving([_with(ONE, "draining"), _with(TWO, "down")]) == (_with(ONE, "draining"),)
    assert serving([_with(ONE, "down")]) == ()


def test_a_colo_whose_caches_are_all_down_cannot_be_an_upper_tier() -> None:
    assert _colo("IAD").usable
    assert _colo("IAD", ONE, _with(TWO, "down")).usable
    assert not _colo("IAD", _with(ONE, "down")).usable
    assert not _colo("IAD", ONE, state=ColoState.DOWN).usable
    assert not _colo("IAD", ONE, eligible=False).usable


def test_a_colo_without_an_active_cache_ranks_like_a_draining_colo() -> None:
    assert not _colo("IAD").draining
    assert not _colo("IAD", ONE, _with(TWO, "draining")).draining
    assert _colo("IAD", _with(ONE, "down"), _with(TWO, "draining")).draining


def test_the_last_cache_of_the_last_upper_tier_cannot_go_down() -> None:
    check(Topology((_colo("IAD", ONE, _with(TWO, "down")),)))
    with pytest.raises(InvalidTopology, match="no colo can be an upper tier"):
        check(Topology((_colo("IAD", _with(ONE, "down")),)))


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({"name": ""}, "a name must be"),
        ({"name": "Iad-1"}, "a name must be"),
        ({"name": "-a"}, "a name must be"),
        ({"name": "a\n"}, "a name must be"),
        ({"name": "a" * 64}, "a name must be"),
        ({"address": "192.0.2.256"}, "neither an IP address nor a host name"),
        ({"address": "a b"}, "neither an IP address nor a host name"),
        ({"address": "a;b"}, "neither an IP address nor a host name"),
        ({"address": "[2001:db8::1]"}, "neither an IP address nor a host name"),
        ({"address": "A.example"}, "neither an IP address nor a host name"),
        ({"address": ""}, "neither an IP address nor a host name"),
        ({"port": 0}, "port must be"),
        ({"port": 65_536}, "port must be"),
        ({"weight": 0}, "weight must be"),
        ({"weight": 257}, "weight must be"),
        ({"tags": ("a\n",)}, "tag"),
        ({"tags": ("a",) * 17}, "17 tags"),
    ],
)
def test_an_invalid_cache_is_refused(members: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidTopology, match=problem):
        check(Topology((_colo("IAD", replace(ONE, **members)),)))


def test_every_valid_form_of_a_cache_is_accepted() -> None:
    addresses = ["192.0.2.1", "2001:db8::1", "a", "cache-1.example.net"]
    caches = [
        Cache(f"c{n}", address, tags=("rack=4", "ssd")) for n, address in enumerate(addresses)
    ]
    check(Topology((_colo("IAD", *caches),)))


def test_names_and_addresses_are_unique_in_the_topology() -> None:
    with pytest.raises(InvalidTopology) as refused:
        check(Topology((_colo("IAD", ONE), _colo("FRA", ONE))))
    assert refused.value.problems == [
        "2 caches have the name iad-1",
        "2 caches have the address 192.0.2.1:80",
    ]


def test_the_number_of_caches_of_a_colo_is_bounded() -> None:
    many = [Cache(f"c{n}", f"c{n}.example") for n in range(MAX_CACHES_OF_COLO + 1)]
    check(Topology((_colo("IAD", *many[1:]),)))
    with pytest.raises(InvalidTopology, match="257 caches; the limit is 256"):
        check(Topology((_colo("IAD", *many),)))


@pytest.mark.parametrize("template", ["cache.example:80", "{colo}.example", "{colo} x:80", "{x}:1"])
def test_an_invalid_template_is_refused(template: str) -> None:
    check(Topology((_colo("IAD"),), cache_template="{colo}.cache.example.net:80"))
    with pytest.raises(InvalidTopology, match="cache_template"):
        check(Topology((_colo("IAD"),), cache_template=template))


@pytest.mark.parametrize("key", [(), (HashPart.HOST, HashPart.HOST)])
def test_the_hash_key_has_each_part_once(key: tuple[HashPart, ...]) -> None:
    with pytest.raises(InvalidTopology, match="hash_key"):
        check(Topology((_colo("IAD"),), hash_key=key))


def test_hubs_and_the_generic_pool_name_colos_of_the_topology() -> None:
    colos = (_colo("IAD"), _colo("ORD", region="mid-west"), _colo("FRA", eligible=False))
    hubs = {"mid-west": ("ORD",), "north-america": ("IAD",)}
    check(Topology(colos, hubs=hubs, generic=GenericTier.HASH, generic_pool=("IAD",)))
    wrong = {"asia": ("IAD",), "mid-west": (), "north-america": ("SIN",)}
    with pytest.raises(InvalidTopology) as refused:
        check(Topology(colos, hubs=wrong, generic=GenericTier.HASH, generic_pool=("FRA", "SIN")))
    assert refused.value.problems == [
        "hubs 'asia': no colo is in this region",
        "hubs mid-west: name at least one colo",
        "hubs north-america: there is no colo SIN",
        "generic_pool: there is no colo SIN",
        "generic_pool: no colo of it can be an upper tier in its state",
    ]


@pytest.mark.parametrize(
    "members", [{"cost": -1.0}, {"cost": 1e9}, {"max_share": 0.0}, {"region": "a\nb"}]
)
def test_an_invalid_colo_is_refused(members: dict[str, Any]) -> None:
    with pytest.raises(InvalidTopology):
        check(Topology((_colo("IAD", **members),)))

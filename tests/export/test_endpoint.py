"""Upstream addresses: valid and invalid ones."""

from collections.abc import Iterable
from typing import Any

import pytest

from originmap.domain.errors import InvalidExport
from originmap.domain.tier.cache import MAX_CACHES_OF_COLO, Cache, CacheState
from originmap.domain.tier.endpoint import Endpoint
from originmap.domain.tier.topology import Colo
from originmap.export.endpoint import MAX_UPSTREAMS, Endpoints, parse, read


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("iad.cache.example.net:80", "iad.cache.example.net", 80),
        ("IAD.Example:65535", "iad.example", 65535),
        ("192.0.2.1:1", "192.0.2.1", 1),
        ("[2001:db8::1]:8080", "2001:db8::1", 8080),
        ("localhost:80", "localhost", 80),
    ],
)
def test_a_host_and_a_port(text: str, host: str, port: int) -> None:
    assert parse(text) == Endpoint(host, port)
    assert parse(parse(text).text) == parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "iad", ":80", "iad:", "iad:0", "iad:65536", "iad:80 ", "iad:80;", "iad:8\n0",
        "iad:80\n",
        "2001:db8::1:80", "[192.0.2.1]:80", "[::1", "[::g]:80", "256.0.0.1:80", "1.2.3:80",
        "i_d:80",
        "-iad:80", "iad-:80", "iad..net:80", "iad.:80", '"iad":80', "{colo}:80", "iad:٨٠",
        "http://iad:80",
        "a" * 64 + ":80", ".".join(["abcdefg"] * 40) + ":80", "ïad:80",
    ],
)  # fmt: skip
def test_an_invalid_endpoint_is_rejected(text: str) -> None:
    with pytest.raises(InvalidExport):
        parse(text)


def _colo(code: str, **members: Any) -> Colo:
    return Colo(code, "Town", "US", 1.0, 2.0, **members)


IAD = _colo("IAD", caches=(
    Cache("b", "192.0.2.2", weight=2),
    Cache("a", "192.0.2.1", 81),
    Cache("c", "192.0.2.3", state=CacheState.DRAINING),
))  # fmt: skip


def texts(caches: Iterable[Cache]) -> list[str]:
    return [f"{cache.name} {cache.endpoint.text}" for cache in caches]


def test_a_template_applies_to_each_colo_without_its_own_endpoint() -> None:
    endpoints = read(["{colo}.example:80", "iad=192.0.2.1:81"])
    assert texts(endpoints.caches(_colo("FRA"))) == ["fra fra.example:80"]
    assert texts(endpoints.caches(_colo("IAD"))) == ["iad 192.0.2.1:81"]


def test_the_topology_has_the_caches_of_colos_and_the_options_come_first() -> None:
    assert texts(read([]).caches(IAD)) == ["a 192.0.2.1:81", "b 192.0.2.2:80"]
    assert texts(read(["{colo}.example:80"]).caches(IAD)) == ["a 192.0.2.1:81", "b 192.0.2.2:80"]
    assert texts(read(["IAD=192.0.2.9:80"]).caches(IAD)) == ["iad 192.0.2.9:80"]
    assert texts(read([]).caches(_colo("FRA"), "{colo}.t:1")) == ["fra fra.t:1"]
    assert texts(read(["{colo}.o:2"]).caches(_colo("FRA"), "{colo}.t:1")) == ["fra fra.o:2"]


def test_an_option_given_twice_for_a_colo_means_two_caches() -> None:
    endpoints = read(["IAD=a.test:80", "IAD=b.test:80", "IAD=a.test:80", "FRA=c.test:80"])
    assert texts(endpoints.caches(IAD)) == ["iad a.test:80", "iad_2 b.test:80"]
    assert (endpoints.count(IAD), endpoints.count(_colo("FRA"))) == (2, 1)
    assert endpoints.several
    assert not read(["IAD=a.test:80"]).several


def test_a_missing_endpoint_is_an_error_with_a_hint() -> None:
    with pytest.raises(InvalidExport, match="FRA") as refused:
        read(["IAD=192.0.2.1:81"]).caches(_colo("FRA"))
    assert "--upstream FRA=HOST:PORT" in refused.value.hint


@pytest.mark.parametrize(
    "value", ["", "iad.example:80", "I=iad:80", "IAD=", "IAD=x", "{colo}", "{colo}.{x}:80", "=a:80"]
)
def test_an_invalid_upstream_option_is_rejected(value: str) -> None:
    with pytest.raises(InvalidExport):
        read([value])


def test_two_templates_are_rejected() -> None:
    with pytest.raises(InvalidExport) as refused:
        read(["{colo}.x:80", "IAD=192.0.2.1:80", " {colo}.y:80 "])
    assert str(refused.value) == "two templates: '{colo}.x:80' and '{colo}.y:80'"
    assert read(["{colo}.x:80", "{colo}.x:80"]).template == "{colo}.x:80"


def test_a_name_with_several_addresses_has_several_endpoints() -> None:
    both = Endpoints(addresses={
        "iad.test": ("192.0.2.1", "192.0.2.2", "2001:db8::1"), "fra.test": ("192.0.2.3",),
        "lhr.test": ("192.0.2.4", "2001:db8::4"),
    })  # fmt: skip

    def resolved(host: str, *, a_family: bool = False) -> list[str]:
        return [e.text for e in both.resolved(Endpoint(host, 80), a_family=a_family)]

    assert resolved("iad.test") == ["192.0.2.1:80", "192.0.2.2:80", "[2001:db8::1]:80"]
    assert resolved("iad.test", a_family=True) == resolved("iad.test")
    assert resolved("fra.test") == ["fra.test:80"]
    assert resolved("lhr.test") == ["192.0.2.4:80", "[2001:db8::4]:80"]
    assert resolved("lhr.test", a_family=True) == ["lhr.test:80"]
    assert resolved("192.0.2.9") == ["192.0.2.9:80"]
    assert resolved("syd.test") == ["syd.test:80"]


def test_a_cache_whose_name_has_several_addresses_becomes_several() -> None:
    endpoints = Endpoints(addresses={"a.test": ("192.0.2.1", "192.0.2.2")})
    caches = endpoints.servers([Cache("a", "a.test", weight=3), Cache("b", "b.test")])
    assert texts(caches) == ["a 192.0.2.1:80", "a__2 192.0.2.2:80", "b b.test:80"]
    assert [cache.weight for cache in caches] == [3, 3, 1]


@pytest.mark.parametrize(
    ("count", "codes", "problem"),
    [
        (MAX_UPSTREAMS + 1, 1_000, r"2,001 upstream addresses; the limit is 2,000"),
        (100_000, 1, r"100,000 upstream addresses; the limit is 2,000"),
        (MAX_CACHES_OF_COLO + 1, 1, r"257 upstream addresses for colo C0; the limit is 256"),
    ],
)
def test_too_many_addresses_are_refused(count: int, codes: int, problem: str) -> None:
    values = [f"C{number % codes}=a{number}.test:80" for number in range(count)]
    with pytest.raises(InvalidExport, match=problem) as caught:
        read(values)
    assert "use a template" in caught.value.hint


def test_the_largest_number_of_addresses_is_accepted() -> None:
    values = [f"C{number % 8}=a{number}.test:80" for number in range(MAX_UPSTREAMS)]
    assert len(read(values).caches(_colo("C7"))) == MAX_UPSTREAMS / 8
    assert len(read(["C1=a.test:80"] * MAX_UPSTREAMS).caches(_colo("C1"))) == 1

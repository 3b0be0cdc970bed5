"""Where upper tiers listen: what is taken, and what is refused."""

import pytest

from originmap.domain.errors import InvalidExport
from originmap.export.endpoint import Endpoint, Endpoints, parse, read


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
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidExport):
        parse(text)


def test_a_template_is_filled_in_for_each_colo_and_single_colos_come_first() -> None:
    endpoints = read(["{colo}.example:80", "iad=192.0.2.1:81"])
    assert endpoints.of("FRA") == Endpoint("fra.example", 80)
    assert endpoints.of("IAD") == Endpoint("192.0.2.1", 81)


def test_a_colo_without_an_upstream_is_refused_with_a_hint() -> None:
    with pytest.raises(InvalidExport, match="FRA") as refused:
        read(["IAD=192.0.2.1:81"]).of("FRA")
    assert "{colo}" in refused.value.hint


@pytest.mark.parametrize(
    "value", ["", "iad.example:80", "I=iad:80", "IAD=", "IAD=x", "{colo}", "{colo}.{x}:80", "=a:80"]
)
def test_what_names_no_upper_tier_is_refused(value: str) -> None:
    with pytest.raises(InvalidExport):
        read([value])


def test_a_name_with_several_addresses_is_given_with_them() -> None:
    named = read(["{colo}.test:80", "NRT=192.0.2.9:80"])
    both = Endpoints(named.template, named.colos, {
        "iad.test": ("192.0.2.1", "192.0.2.2", "2001:db8::1"), "fra.test": ("192.0.2.3",),
        "lhr.test": ("192.0.2.4", "2001:db8::4"),
    })  # fmt: skip
    assert [e.text for e in both.all("IAD")] == ["192.0.2.1:80", "192.0.2.2:80", "[2001:db8::1]:80"]
    assert both.all("IAD", a_family=True) == both.all("IAD")
    assert [e.text for e in both.all("FRA")] == ["fra.test:80"]
    assert [e.text for e in both.all("LHR")] == ["192.0.2.4:80", "[2001:db8::4]:80"]
    assert [e.text for e in both.all("LHR", a_family=True)] == ["lhr.test:80"]
    assert [e.text for e in both.all("NRT")] == ["192.0.2.9:80"]
    assert [e.text for e in both.all("SYD")] == ["syd.test:80"]

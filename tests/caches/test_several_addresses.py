"""Upper tiers whose names have several addresses, for caches that use one address per name."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from originmap.export.endpoint import read
from originmap.export.formats import format_called
from tests.caches.network import Machine
from tests.caches.programs.cache import IP, ZONE, Cache
from tests.caches.programs.haproxy import HAProxy
from tests.caches.programs.varnish import VarnishByTCC
from tests.export.samples import COLOS, VIRGINIA, ZONES, export, node

SECOND = "127.0.1.2"


@pytest.fixture(params=(VarnishByTCC, HAProxy), ids=lambda kind: str(kind.called()))
def cache(
    request: pytest.FixtureRequest, machines: Mapping[str, Machine], tmp_path: Path
) -> Iterator[Cache]:
    with request.param(tmp_path, machines) as cache:
        yield cache


def test_requests_use_each_address_and_then_the_fallback(
    cache: Cache, machines: Mapping[str, Machine]
) -> None:
    for machine in machines.values():
        machine.start()
    first, fallback = machines["IAD"], machines["FRA"]
    endpoints = read([f"IAD=iad.test:{first.port}", f"FRA={fallback.endpoint}"])
    colos = [colo for colo in COLOS if colo.code != "NRT"]
    of = node("SIN", zones=ZONES[:1], colos=colos, endpoints=endpoints, places=(VIRGINIA,))
    of = of.with_addresses({"iad.test": (first.host, SECOND)})
    files = format_called(cache.format).files
    cache.load({file.name: export(file, of, {ZONE: {IP: VIRGINIA}}) for file in files})
    second = Machine("IAD", SECOND, first.port)
    try:
        cache.comes_to("IAD")
        first.stop()
        assert {cache.answer(ZONE) for _ in range(3)} <= {"IAD", ""}
        cache.comes_to("IAD")
        second.stop()
        cache.comes_to("FRA")
    finally:
        second.stop()

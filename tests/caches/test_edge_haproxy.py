"""HAProxy's map is changed at runtime, and compared with its file."""

import re
import signal
import socket
from collections.abc import Iterator

import pytest

from tests.caches.node import Visitor
from tests.caches.primary import NEAR_FRA, NEAR_IAD, PLACES, put, set_topology
from tests.caches.programs.cache import IP, ZONE
from tests.caches.programs.haproxy import HAProxy
from tests.caches.site import Site

UP_TO_DATE = '"event":"up to date","logger":"originmap.edge.agent","cache":"haproxy",.*"how":"{}"'


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(tmp_path_factory.mktemp("site"), HAProxy) as site:
        yield site


@pytest.fixture
def site(running: Site) -> Site:
    running.refresh()
    return running


def ask(site: Site, command: str) -> str:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(site.cache.folder / "admin.sock"))
        connection.sendall(command.encode() + b"\n")
        with connection.makefile() as answer:
            return answer.read()


def worker(site: Site) -> str:
    found = re.search(r"^Pid: (\d+)$", ask(site, "show info"), re.MULTILINE)
    assert found
    return found[1]


def done(site: Site, how: str) -> int:
    return len(re.findall(UP_TO_DATE.format(how), site.edge.log()))


def test_a_mapping_changes_without_a_reload(site: Site) -> None:
    reloads, runtime = done(site, "reloaded"), done(site, "changed at runtime")
    with Visitor(site.cache) as visitor:
        for n in range(50):  # including new entries
            put(site.server, NEAR_IAD, f"198.51.100.{n}")
        put(site.server, NEAR_FRA)
        site.cache.comes_to("FRA")
        site.edge.serves_all(site.server)
    assert done(site, "reloaded") == reloads
    assert done(site, "changed at runtime") > runtime
    assert visitor.failed == 0
    path = site.cache.folder / "originmap.map"
    entries = ask(site, f"show map {path}").splitlines()
    there = sorted(line.partition(" ")[2] for line in entries if line)
    assert there == sorted(path.read_text().splitlines())


def test_runtime_changes_by_others_are_corrected(site: Site) -> None:
    path = site.cache.folder / "originmap.map"
    site.cache.comes_to("IAD")
    ask(site, f"set map {path} {ZONE}/{IP} originmap_fra_iad")
    ask(site, f"add map {path} stray.example originmap_fra_iad")
    site.cache.comes_to("FRA")
    site.edge.signal(signal.SIGHUP)
    site.cache.comes_to("IAD")
    site.edge.waits_for(
        lambda: site.edge.said("the running cache differed from its file"), "the difference"
    )
    assert "stray.example" not in ask(site, f"show map {path}")


def test_other_backends_require_a_reload(site: Site) -> None:
    before = worker(site)
    site.cache.comes_to("IAD")
    try:
        with Visitor(site.cache) as visitor:
            set_topology(site.server, {code: PLACES[code] for code in ("FRA", "SIN")})
            site.cache.comes_to("FRA")
            site.edge.waits_for(lambda: worker(site) != before, "another worker")
        assert visitor.failed == 0
    finally:
        set_topology(site.server, PLACES)
        site.edge.serves_all(site.server)


def test_without_its_socket_haproxy_is_reloaded(site: Site) -> None:
    admin, elsewhere = site.cache.folder / "admin.sock", site.cache.folder / "elsewhere"
    admin.rename(elsewhere)
    try:
        put(site.server, NEAR_FRA)
        site.cache.comes_to("FRA")
        site.edge.serves_all(site.server)
    finally:
        elsewhere.rename(admin)
    assert site.edge.said("cannot update the running cache; reloading it") == 1

"""Real Envoys: they follow changes, lose no request, and reject what they cannot use."""

import contextlib
import itertools
import json
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.caches.network import Machine, free_port
from tests.caches.node import Visitor
from tests.caches.primary import NEAR_FRA, NEAR_IAD, PLACES, put, set_topology
from tests.caches.programs.envoy import TYPE
from tests.process import BEARER, Server
from tests.waiting import wait_until
from tests.xds import certificates
from tests.xds.streaming_envoy import CertifiedEnvoy, StateOfTheWorldEnvoy, StreamingEnvoy


class Site:
    """A server with xDS that a test can restart."""

    def __init__(self, folder: Path, *args: str) -> None:
        """`args` are more arguments of the server."""
        self.folder = folder
        self.args = args
        self.xds = free_port()
        self.start()

    def start(self) -> None:
        args = ["--xds", f"127.0.0.1:{self.xds}", "--no-log-requests", *self.args]
        self.server = Server(str(self.folder / "dev.db"), self.folder, "dev", args)

    def followers(self) -> dict[str, Any]:
        """The followers by name."""
        url = f"{self.server.url}/originmap/v1/followers"
        answer = httpx.get(url, headers=BEARER, verify=False)
        return {row["name"]: row for row in answer.json()["result"]}

    def problem(self, name: str = "sin-1") -> str:
        """The problem of a node."""
        found: str = self.followers()[name]["problem"]
        return found

    def metric(self, name: str) -> float:
        text = httpx.get(f"{self.server.url}/metrics", verify=False).text
        found = re.search(rf"^originmap_xds_{name} (\S+)$", text, re.M)
        assert found
        return float(found[1])

    def hash_urls(self) -> None:
        """Give a colo a cache, so that URLs are assigned to caches by hash."""
        url = f"{self.server.url}/originmap/v1/topology"
        topology = httpx.get(url, headers=BEARER, verify=False).json()["result"]
        for colo in topology["colos"]:
            if colo["code"] == "SIN":
                colo["caches"] = [{"name": "sin-a", "address": "192.0.2.1"}]
        body = {"colos": topology["colos"]}
        httpx.put(url, json=body, headers=BEARER, verify=False).raise_for_status()

    def until(self, true: Callable[[], object], what: str) -> None:
        wait_until(true, lambda: f"{what}: {self.followers()}")

    def applied(self, name: str = "sin-1") -> None:
        """Wait until a node has applied the newest revision."""

        def there() -> bool:
            row = self.followers().get(name)
            return row is not None and row["lag"] == 0 and row["applied"] is not None

        self.until(there, f"{name} up to date")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("site"))
    yield site
    site.server.stop()


@pytest.fixture(autouse=True)
def fresh(site: Site, machines: Mapping[str, Machine]) -> None:
    for machine in machines.values():
        machine.start()
    set_topology(site.server, PLACES)
    put(site.server, NEAR_IAD)


@pytest.mark.parametrize("kind", [StreamingEnvoy, StateOfTheWorldEnvoy])
def test_envoy_follows_the_mappings_and_gets_nothing_again_after_a_restart(
    kind: type[StreamingEnvoy], site: Site, machines: Mapping[str, Machine], tmp_path: Path
) -> None:
    with kind(tmp_path, machines, site.server, site.xds) as envoy:
        envoy.load({})
        envoy.comes_to("IAD")
        site.applied()
        before = site.metric("resources_sent_total")
        put(site.server, NEAR_FRA)
        envoy.passes("IAD", "FRA")
        site.applied()
        assert site.metric("resources_sent_total") == before + 1
        site.server.kill()
        machines["FRA"].stop()
        envoy.comes_to("IAD")
        machines["FRA"].start()
        site.start()
        site.applied()
        assert site.metric("resources_sent_total") == 0
        put(site.server, NEAR_IAD)
        site.applied()
        assert site.metric("resources_sent_total") == 1
        envoy.comes_to("IAD")


def test_a_change_sends_one_resource_to_each_of_several_envoys(
    site: Site, machines: Mapping[str, Machine], tmp_path: Path
) -> None:
    names = [f"sin-{n}" for n in range(5)]
    with contextlib.ExitStack() as stack:
        envoys = []
        for name in names:
            (tmp_path / name).mkdir()
            envoy = StreamingEnvoy(tmp_path / name, machines, site.server, site.xds, name=name)
            envoys.append(stack.enter_context(envoy))
            envoy.load({})
            # One after another: a failed first health check is repeated after a minute only.
            envoy.comes_to("IAD")
            site.applied(name)
        before = site.metric("resources_sent_total")
        put(site.server, NEAR_FRA)
        for envoy, name in zip(envoys, names, strict=True):
            envoy.comes_to("FRA")
            site.applied(name)
        assert site.metric("resources_sent_total") == before + len(names)


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that answers no connection, so that health checks of it take long."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.4.1", 0))
        listener.listen(0)
        for _ in range(4):  # more than the queue takes
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield f"127.0.4.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize("kind", [StreamingEnvoy, StateOfTheWorldEnvoy])
def test_a_change_of_the_topology_under_load_fails_no_request(
    kind: type[StreamingEnvoy],
    site: Site,
    machines: Mapping[str, Machine],
    tmp_path: Path,
    silent: str,
) -> None:
    with kind(tmp_path, machines, site.server, site.xds) as envoy:
        envoy.more_upstreams = (f"LHR={silent}",)
        envoy.load({})
        envoy.comes_to("IAD")
        with Visitor(envoy) as visitor:
            rest = {code: place for code, place in PLACES.items() if code != "IAD"}
            set_topology(site.server, {**rest, "LHR": (51.5, -0.5)})
            envoy.comes_to("FRA")
            site.applied()
        assert visitor.failed == 0
        assert visitor.asked > 20


def test_a_rejection_is_shown_with_the_text_of_envoy(
    site: Site, machines: Mapping[str, Machine], tmp_path: Path
) -> None:
    with LimitedEnvoy(tmp_path, machines, site.server, site.xds) as envoy:
        envoy.load({})
        envoy.comes_to("IAD")
        rejections = site.metric("rejections_total")
        site.hash_urls()
        site.until(
            lambda: "RE2 program size" in site.followers()["sin-1"]["problem"], "a rejection"
        )
        assert site.metric("rejections_total") > rejections
        assert "node rejected resources" in site.server.log.read_text()
        assert envoy.answer("example.com") == "IAD"
        set_topology(site.server, PLACES)
        site.until(lambda: not site.problem(), "the end of the problem")
        put(site.server, NEAR_FRA)
        envoy.comes_to("FRA")


def test_envoy_with_a_certificate_for_its_name_needs_no_token(
    machines: Mapping[str, Machine], tmp_path: Path
) -> None:
    certificates.made(tmp_path, "localhost", "sin-1")
    options = {"cert": "localhost.pem", "key": "localhost.key", "client-ca": "ca.pem"}
    args = [(f"--xds-{name}", str(tmp_path / file)) for name, file in options.items()]
    certified = Site(tmp_path, *itertools.chain(*args))
    try:
        set_topology(certified.server, PLACES)
        put(certified.server, NEAR_FRA)
        with CertifiedEnvoy(tmp_path, machines, certified.server, certified.xds) as envoy:
            envoy.load({})
            envoy.comes_to("FRA")
            certified.applied()
    finally:
        certified.server.stop()


class LimitedEnvoy(StreamingEnvoy):
    """Rejects regular expressions, which hashed routes have."""

    def prepare(self) -> None:
        super().prepare()
        file = self.folder / "envoy.json"
        config = json.loads(file.read_text())
        limit = {"name": "static", "static_layer": {"re2.max_program_size.error_level": 1}}
        file.write_text(json.dumps({**config, "layered_runtime": {"layers": [limit]}}))


def test_envoy_accepts_the_configuration_in_the_documentation(tmp_path: Path) -> None:
    certificates.made(tmp_path)
    page = Path(__file__).parents[2] / "docs" / "envoy.md"
    found = re.search(r"```yaml\n(.*?)```", page.read_text("utf-8"), re.S)
    assert found
    text = found[1].replace("/etc/envoy/ca.pem", str(tmp_path / "ca.pem"))
    bootstrap, rds, clusters = map(
        yaml.safe_load, re.split(r"^# (?:in|among) .*$", text, flags=re.M)
    )
    kinds = TYPE + "extensions.filters."
    manager = {
        "@type": kinds + "network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "site",
        **rds,
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": kinds + "http.router.v3.Router"},
            }
        ],
    }
    listener = {
        "name": "site",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": 8080}},
        "filter_chains": [{"filters": [{"name": "manager", "typed_config": manager}]}],
    }
    file = tmp_path / "envoy.json"
    static = {"listeners": [listener], "clusters": clusters}
    file.write_text(json.dumps({**bootstrap, "static_resources": static}))
    envoy = str(Path(sys.executable).with_name("envoy"))
    command = [envoy, "--mode", "validate", "-c", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr

"""Envoy requests clusters, endpoints and routes from a real server, and uses them."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.caches.live_envoy import LiveEnvoy, OwnClusters
from tests.caches.network import Machine
from tests.caches.primary import NEAR_FRA, NEAR_IAD, PLACES, put, set_topology
from tests.process import TOKEN, Server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server that a test can kill."""
    with Server(str(tmp_path / "dev.db"), tmp_path) as server:
        set_topology(server, PLACES)
        put(server, NEAR_IAD)
        yield server


@pytest.fixture(autouse=True)
def all_up(machines: Mapping[str, Machine]) -> None:
    for machine in machines.values():
        machine.start()


@pytest.mark.parametrize("kind", [LiveEnvoy, OwnClusters])
def test_envoy_follows_the_mappings_and_continues_without_the_server(
    kind: type[LiveEnvoy], server: Server, machines: Mapping[str, Machine], tmp_path: Path
) -> None:
    with kind(tmp_path, machines, server) as envoy:
        envoy.load({})
        envoy.comes_to("IAD")
        put(server, NEAR_FRA)
        envoy.passes("IAD", "FRA")
        machines["FRA"].stop()
        envoy.comes_to("IAD")
        machines["FRA"].start()
        envoy.comes_to("FRA")
        server.kill()
        assert {envoy.answer("example.com") for _ in range(20)} == {"FRA"}
        machines["FRA"].stop()
        envoy.comes_to("IAD")


def test_a_node_that_is_the_upper_tier_fills_from_the_origin(
    server: Server, machines: Mapping[str, Machine], tmp_path: Path
) -> None:
    with LiveEnvoy(tmp_path, machines, server, colo="iad") as envoy:
        envoy.load({})
        envoy.comes_to("origin")


def test_envoy_keeps_its_state_while_its_token_is_rejected(
    server: Server, machines: Mapping[str, Machine], tmp_path: Path
) -> None:
    with LiveEnvoy(tmp_path, machines, server) as envoy:
        envoy.load({})
        envoy.comes_to("IAD")
        envoy.give_token("x" * len(TOKEN))
        envoy.says("REST update for /v3/discovery:routes failed")
        put(server, NEAR_FRA)
        assert {envoy.answer("example.com") for _ in range(20)} == {"IAD"}
        envoy.give_token(TOKEN)
        envoy.comes_to("FRA")

"""Envoy with the operator's own clusters, each with its endpoints from one of our files."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.caches.network import Machine
from tests.caches.node import Edge
from tests.caches.primary import NEAR_FRA, NEAR_IAD, PLACES, put, set_topology
from tests.caches.programs.envoy import EnvoyOwnClusters
from tests.process import Server
from tests.real.command import output


@pytest.fixture
def envoy(machines: Mapping[str, Machine], tmp_path: Path) -> Iterator[EnvoyOwnClusters]:
    """An Envoy that has not started yet, with every server up."""
    for machine in machines.values():
        machine.start()
    (tmp_path / "cache").mkdir()
    with EnvoyOwnClusters(tmp_path / "cache", machines) as envoy:
        envoy.check_installed()
        envoy.prepare()
        yield envoy


@contextmanager
def fed(server: Server, envoy: EnvoyOwnClusters, folder: Path) -> Iterator[Edge]:
    """An agent, and the cache with its files: the origin is near IAD."""
    put(server, NEAR_IAD)
    with Edge(server, envoy, folder) as edge:
        edge.waits_for(lambda: edge.written(envoy), "its files")
        envoy.start()
        envoy.comes_to("IAD")
        yield edge


def moved(arguments: Sequence[str], machines: Mapping[str, Machine]) -> list[str]:
    """The arguments with the address of another server for IAD."""
    before, after = (machines[name].endpoint for name in ("IAD", "origin"))
    return [argument.replace(before, after) for argument in arguments]


def test_envoy_fills_from_the_upper_tier_and_from_the_fallback_if_that_is_down(
    server: Server, envoy: EnvoyOwnClusters, tmp_path: Path
) -> None:
    with fed(server, envoy, tmp_path) as edge:
        put(server, NEAR_FRA)
        envoy.comes_to("FRA")
        envoy.machines["FRA"].stop()
        envoy.comes_to("IAD")
        looked = edge.run("--dry-run").stdout
        assert f"{envoy.folder}/eds/originmap_fra_iad.json is up to date" in looked


def test_envoy_loads_changed_endpoints_without_a_reload(
    server: Server, envoy: EnvoyOwnClusters, tmp_path: Path
) -> None:
    with fed(server, envoy, tmp_path) as edge:
        edge.stop()
        edge.arguments = moved(edge.arguments, envoy.machines)
        edge.start()
        envoy.comes_to("origin")


def test_envoy_loads_files_of_the_export_command(envoy: EnvoyOwnClusters, tmp_path: Path) -> None:
    db = tmp_path / "dev.db"
    upstreams = [f"--upstream={c}={envoy.machines[c].endpoint}" for c in ("IAD", "FRA")]
    export = ("export", "envoy", "--colo", "sin", "--out", envoy.folder, "--db", db)
    with Server(str(db), tmp_path) as server:
        set_topology(server, PLACES)
        put(server, NEAR_IAD)
        output(*export, *upstreams)
        envoy.start()
        envoy.comes_to("IAD")
        output(*export, *moved(upstreams, envoy.machines))
        envoy.comes_to("origin")


def test_an_obsolete_file_stays_so_that_envoy_can_restart(
    server: Server, envoy: EnvoyOwnClusters, tmp_path: Path
) -> None:
    put(server, NEAR_FRA)
    envoy.names = (*envoy.names, "originmap_fra")
    envoy.prepare()
    with Edge(server, envoy, tmp_path) as edge:
        edge.waits_for(lambda: edge.written(envoy), "its files")
        file = envoy.folder / "eds" / "originmap_iad_fra.json"
        before = file.read_bytes()
        try:
            set_topology(server, {"FRA": PLACES["FRA"], "SIN": PLACES["SIN"]})
            edge.waits_for(lambda: edge.said("the file is no longer updated"), "word")
            edge.serves_all(server)
            assert file.read_bytes() == before
            envoy.start()
            envoy.comes_to("FRA")
        finally:
            set_topology(server, PLACES)

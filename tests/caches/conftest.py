"""Shared fixtures of the tests with real caches."""

from collections.abc import Iterator, Mapping

import pytest

from tests.caches.network import ADDRESSES, Machine
from tests.caches.primary import PLACES, set_topology
from tests.process import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An Originmap server with three colos, of which two are upper tiers."""
    folder = tmp_path_factory.mktemp("originmap")
    with Server(str(folder / "dev.db"), folder) as server:
        set_topology(server, PLACES)
        yield server


@pytest.fixture(scope="module")
def machines() -> Iterator[Mapping[str, Machine]]:
    made = {name: Machine(name) for name in ADDRESSES}
    yield made
    for machine in made.values():
        machine.stop()

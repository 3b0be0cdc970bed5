"""Shared fixtures: the machines behind Envoy."""

from collections.abc import Iterator, Mapping

import pytest

from tests.caches.network import ADDRESSES, Machine


@pytest.fixture(scope="module")
def machines() -> Iterator[Mapping[str, Machine]]:
    made = {name: Machine(name) for name in ADDRESSES}
    yield made
    for machine in made.values():
        machine.stop()

"""The pytest plugin: the fixtures `originmap` and `originmap_server`.

It is loaded with pytest, so it imports nothing of Originmap before a test uses a fixture.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from originmap.testing.server import Server

_BASIS = "originmap_basis"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the settings of the fixtures."""
    parser.addini(
        _BASIS,
        "Fail tests that rely on less than this: published, observed, decided or unknown",
        default="unknown",
    )
    parser.addini("originmap_strict", "Refuse requests that are probably mistakes", "bool", False)
    parser.addini("originmap_rate_limit", "Rate limit of the server", default="off")


@pytest.fixture(scope="session")
def originmap_server(pytestconfig: pytest.Config) -> "Iterator[Server]":
    """A development server for the whole session; each worker of pytest-xdist has its own."""
    from originmap.testing.server import Server

    with Server(
        strict=pytestconfig.getini("originmap_strict"),
        rate_limit=pytestconfig.getini("originmap_rate_limit"),
    ) as server:
        yield server


@pytest.fixture
def originmap(originmap_server: "Server", pytestconfig: pytest.Config) -> "Iterator[Server]":
    """A clean development server: the one of the session, reset."""
    originmap_server.reset()
    yield originmap_server
    basis = pytestconfig.getini(_BASIS)
    if basis != "unknown":
        originmap_server.fidelity().require(basis)

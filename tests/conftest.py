"""Fixtures that several packages use."""

import functools
import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from httpx._transports import default as transports
from hypothesis import settings

from tests import postgres
from tests.process import Server

# The duration of an example depends on the machine, not on the tested code.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

# Clients of tests share the certificates of the public authorities: to read them took most of the
# time of each `httpx.get`.
transports.create_ssl_context = functools.cache(transports.create_ssl_context)


QUICK = ("tests/domain/", "tests/export/", "tests/house/", "tests/mapfile/", "tests/planning/")
"""Folders whose files all take a few seconds at most."""


# Tests are collected without garbage collection, and never traversed by it afterwards: they and
# what they import are a million objects that live to the end.
gc.disable()


def pytest_collection_finish() -> None:
    """Collect garbage of the tests only, and rarely: most objects go without it."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the quick files last: with a long one at the end, the other processes would be idle."""
    assert len({item.nodeid for item in items}) == len(items), "xdist runs one test of each ID"
    items.sort(key=lambda item: item.nodeid.startswith(QUICK))


def pytest_xdist_auto_num_workers() -> int:
    """One process more than cores, up to four: tests also wait, for processes and timeouts."""
    return min((os.cpu_count() or 1) + 1, 4)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kills", type=int, default=20, help="kills in the crash test")


@pytest.fixture
def dev(tmp_path: Path) -> Iterator[Server]:
    """A new `originmap dev` process."""
    with Server(str(tmp_path / "dev.db"), tmp_path) as server:
        yield server


@pytest.fixture(scope="session")
def cluster() -> Iterator[postgres.Cluster]:
    """A PostgreSQL server for all tests; each test creates its own database."""
    server = _new_cluster()
    yield server
    server.remove()


@pytest.fixture(scope="module")
def replicated() -> Iterator[tuple[postgres.Cluster, postgres.Cluster]]:
    """A PostgreSQL server, without the databases of other tests to copy, and a streaming
    standby."""
    primary = _new_cluster()
    standby = postgres.Cluster(copy_of=primary)
    yield primary, standby
    standby.remove()
    primary.remove()


def _new_cluster() -> postgres.Cluster:
    if postgres.binaries() is None:
        assert "CI" not in os.environ, postgres.HOW_TO_INSTALL
        pytest.skip(postgres.HOW_TO_INSTALL)
    return postgres.Cluster()

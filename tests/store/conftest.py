"""Fixtures with every kind of store, for the contract suite."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from originmap.store.memory import MemoryStore
from originmap.store.port import Store
from originmap.store.postgres.store import PostgresStore, open_postgres
from originmap.store.sqlite.store import SqliteStore
from tests.builders import CAUSE, new_zone
from tests.postgres import Cluster
from tests.waiting import until


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_000_000

    def __call__(self) -> int:
        return self.now


Make = Callable[[], Awaitable[Store]]
"""Creates another empty store of the kind under test."""

KINDS = ("memory", "sqlite", "postgres")


@pytest.fixture
def clock() -> Clock:
    return Clock()


def maker(request: pytest.FixtureRequest, folder: Path, clock: Clock) -> Make:
    """A factory of stores of the fixture's kind."""

    async def make() -> Store:
        if request.param == "memory":
            return MemoryStore(clock)
        if request.param == "sqlite":
            return SqliteStore(folder / "store.db", clock)
        cluster: Cluster = request.getfixturevalue("cluster")
        return await open_postgres(cluster.new_database(), clock)

    return make


@pytest.fixture(params=KINDS)
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Clock
) -> AsyncIterator[Store]:
    """An empty store with one zone."""
    store = await maker(request, tmp_path, clock)()
    await store.write_records(new_zone(), CAUSE)
    yield store
    await store.close()


@pytest.fixture(params=KINDS)
async def target(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Clock
) -> AsyncIterator[Store]:
    """Another store with a different zone, which a copy replaces."""
    folder = tmp_path / "target"
    folder.mkdir()
    store = await maker(request, folder, clock)()
    await store.write_records(new_zone("e" * 32, "old.example"), CAUSE)
    yield store
    await store.close()


@pytest.fixture
def url(cluster: Cluster) -> str:
    """A new database."""
    return cluster.new_database()


@pytest.fixture
async def nodes(url: str) -> AsyncIterator[list[PostgresStore]]:
    """Three nodes on one database with a zone."""
    stores = [await open_postgres(url) for _ in range(3)]
    await stores[0].write_records(new_zone(), CAUSE)
    await until(lambda: all(store.revision == 1 for store in stores))
    yield stores
    for store in stores:
        await store.close()

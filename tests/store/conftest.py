"""Every store there is, for the contract suite."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from originmap.store.memory import MemoryStore
from originmap.store.port import Store
from originmap.store.sqlite import SqliteStore
from tests.builders import CAUSE, new_zone


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_000_000

    def __call__(self) -> int:
        return self.now


MAKERS: dict[str, Callable[[Path, Clock], Store]] = {
    "memory": lambda folder, clock: MemoryStore(clock),
    "sqlite": lambda folder, clock: SqliteStore(folder / "store.db", clock),
}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=MAKERS)
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Clock
) -> AsyncIterator[Store]:
    """An empty store with one zone."""
    store = MAKERS[request.param](tmp_path, clock)
    await store.write_records(new_zone(), CAUSE)
    yield store
    await store.close()

"""A store in memory with an account, a user and a zone, and a directory that follows it."""

from typing import NamedTuple

import pytest

from originmap.domain.history.record import Kind, Value
from originmap.domain.zone.rules import add_missing
from originmap.domain.zone.zone import Account, User
from originmap.service.access.directory import Directory
from originmap.store.memory import MemoryStore
from tests.builders import CAUSE, zone


class World(NamedTuple):
    """What services are made of."""

    store: MemoryStore
    directory: Directory


@pytest.fixture
async def world() -> World:
    store, directory = MemoryStore(), Directory()
    store.follow_records(directory.apply)
    values: list[tuple[Kind, Value]] = [
        (Kind.ACCOUNT, Account("account", "Example", 1)),
        (Kind.USER, User("user", "user@example.com", "", 1)),
        (Kind.ZONE, zone()),
    ]
    await store.write_records(add_missing(values), CAUSE)
    return World(store, directory)

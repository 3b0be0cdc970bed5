"""A NATS server for each module, and a stream for each test."""

import itertools
from collections.abc import Iterator

import pytest

from originmap.jetstream.connection import NatsAccess
from tests.jetstream.broker import Broker
from tests.jetstream.primary import Primary, access_to

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with Broker(tmp_path_factory.mktemp("broker")) as broker:
        yield broker


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of publishers and nodes in this process, so that ages and problems arrive sooner."""
    monkeypatch.setattr("originmap.jetstream.publisher.HEARTBEAT_SECONDS", 0.1)
    monkeypatch.setattr("originmap.jetstream.source.LONGEST_WAIT", 0.2)


@pytest.fixture
def access(broker: Broker) -> NatsAccess:
    return access_to(broker.address, f"STREAM{next(_NUMBERS)}")


@pytest.fixture
async def primary() -> Primary:
    primary = Primary()
    await primary.furnish()
    return primary

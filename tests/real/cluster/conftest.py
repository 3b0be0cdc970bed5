"""A primary, and a client that writes to it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from tests.real.cluster.fleet import Primary


@pytest.fixture
def primary(tmp_path: Path) -> Iterator[Primary]:
    primary = Primary(tmp_path)
    with primary.server:
        yield primary
        primary.server.stop()


@pytest.fixture
async def writer(primary: Primary) -> AsyncIterator[httpx.AsyncClient]:
    async with primary.client() as client:
        yield client

"""A client that writes to the primary."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.real.cluster.fleet import Primary


@pytest.fixture
async def writer(primary: Primary) -> AsyncIterator[httpx.AsyncClient]:
    async with primary.client() as client:
        yield client

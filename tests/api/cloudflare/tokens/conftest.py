"""A client of a server with a user and an account, and the URLs of their tokens."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.api.application import dev_client
from tests.api.cloudflare.tokens.token_body import OF_ACCOUNT, OF_USER


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with dev_client() as client:
        yield client


@pytest.fixture(params=[OF_USER, OF_ACCOUNT], ids=["user", "account"])
def url(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found

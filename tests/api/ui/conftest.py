"""Visitors of the web page, without a browser and without JavaScript."""

import html
import re
from collections.abc import AsyncIterator

import httpx
import pytest

from originmap import bootstrap
from originmap.service import initial_data
from tests.api import matrix
from tests.api.application import client_of

UI = "http://testserver/ui"
ZONE = f"/zones/{initial_data.DEV_ID}"


class Visitor:
    """Somebody with a browser that keeps cookies."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.csrf = ""

    async def get(self, path: str) -> httpx.Response:
        return self._seen(await self.client.get(UI + path))

    async def post(self, path: str, **fields: str | list[str]) -> httpx.Response:
        """Send a form of the last page, and follow the redirect."""
        data = {"csrf": self.csrf} | fields
        return self._seen(await self.client.post(UI + path, data=data, follow_redirects=True))

    async def sign_in(self, token: str) -> httpx.Response:
        return await self.post("/sign-in", token=token)

    def _seen(self, answer: httpx.Response) -> httpx.Response:
        found = re.search(r'name="csrf" value="([^"]+)"', answer.text)
        self.csrf = found[1] if found else self.csrf
        return answer


def words(answer: httpx.Response) -> str:
    """The text of a page as somebody reads it."""
    without_tags = re.sub(r"<[^>]*>", " ", answer.text.partition("<body>")[2])
    return " ".join(html.unescape(without_tags).split())


@pytest.fixture
async def opened() -> AsyncIterator[bootstrap.Opened]:
    async with bootstrap.open_store(bootstrap.MEMORY, initial_data.prepare_dev) as opened:
        await matrix.furnish(opened)
        yield opened


@pytest.fixture
async def stranger(opened: bootstrap.Opened) -> AsyncIterator[Visitor]:
    async with client_of(opened) as client:
        yield Visitor(client)


@pytest.fixture
async def operator(stranger: Visitor) -> Visitor:
    """Signed in with every permission."""
    await stranger.sign_in("secret-all")
    return stranger


@pytest.fixture
async def reader(stranger: Visitor) -> Visitor:
    """Signed in with permission to read everything."""
    await stranger.sign_in("secret-read")
    return stranger

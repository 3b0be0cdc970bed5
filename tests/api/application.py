"""The whole application in the test's process, with a real store and without sockets."""

import contextlib
import re
from collections.abc import AsyncIterator

import httpx

from originmap import bootstrap
from originmap.api.application import Application
from originmap.api.http.request import Request
from originmap.api.http.response import Body, Response
from originmap.api.http.router import METHODS
from originmap.api.request_ids import RequestIDs
from originmap.api.traffic import Traffic
from originmap.bootstrap_application import build_app
from originmap.domain.history.record import Kind
from originmap.domain.zone.rules import add_missing
from originmap.domain.zone.zone import Account
from originmap.service import initial_data
from originmap.settings import Settings
from tests.builders import CAUSE

BASE = "http://testserver/client/v4"
ZONE_URL = f"{BASE}/zones/{initial_data.DEV_ID}"
MAPPINGS = f"{ZONE_URL}/origin/cloud_regions"
DEV = Settings(enable_v1=True, slow_guessing=False)
"""The token of `originmap dev`."""
BEARER = {"Authorization": f"Bearer {initial_data.DEV_TOKEN}"}


class ApplicationTransport(httpx.AsyncBaseTransport):
    """Passes requests to the application like a connection, and returns its responses."""

    def __init__(self, application: Application, traffic: Traffic) -> None:
        self._application = application
        self._traffic = traffic
        self._ids = RequestIDs()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url.raw_path.decode("ascii")
        given = {name.lower(): value for name, value in request.headers.raw}
        asked = Request(request.method, url, given, "192.0.2.200", self._ids.next())
        asked.body = await request.aread()
        asked.length = len(asked.body)
        refused = self._application.answer(asked) if asked.body else None
        response = await self._application.response(asked) if refused is None else refused
        assert isinstance(response, Response)
        self._traffic.count(asked.route, asked.method, response.status, 1)
        headers = [("cf-ray", asked.id), *response.headers, *asked.answer_headers]
        if response.content_type:
            headers.append(("content-type", response.content_type))
        if response.stream is not None:
            return httpx.Response(response.status, headers=headers, stream=_Body(response.stream))
        headers.append(("content-length", str(len(response.body))))
        body = b"" if asked.method == "HEAD" else response.body
        return httpx.Response(response.status, headers=headers, stream=httpx.ByteStream(body))


class _Body(httpx.AsyncByteStream):
    """A body that is generated while it is read."""

    def __init__(self, body: Body) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._body:
            yield piece

    async def aclose(self) -> None:
        await self._body.aclose()


@contextlib.asynccontextmanager
async def client_of(
    opened: bootstrap.Opened,
    headers: dict[str, str] | None = None,
    *,
    ready: bool = True,
    settings: Settings = DEV,
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application with an open store."""
    traffic = Traffic()
    application = build_app(opened, lambda: ready, settings, traffic)
    transport = ApplicationTransport(application, traffic)
    async with httpx.AsyncClient(transport=transport, headers=headers) as client:
        yield client


@contextlib.asynccontextmanager
async def dev_client(db: str = bootstrap.MEMORY) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the bearer token of `originmap dev` and a new store."""
    async with (
        bootstrap.open_store(db, initial_data.prepare_dev) as opened,
        client_of(opened, BEARER) as client,
    ):
        yield client


@contextlib.asynccontextmanager
async def client_of_two_accounts(other: Account) -> AsyncIterator[httpx.AsyncClient]:
    """Like `dev_client`, with a second account besides Example."""
    async with bootstrap.open_store(bootstrap.MEMORY, initial_data.prepare_dev) as opened:
        await opened.store.write_records(add_missing([(Kind.ACCOUNT, other)]), CAUSE)
        async with client_of(opened, BEARER) as client:
            yield client


def served(application: Application) -> dict[str, tuple[str, ...]]:
    """Each path template with its methods, in the order of the Allow header."""
    found: dict[str, set[str]] = {}
    for route in application.routes:
        methods = {"GET", "HEAD"} if route.method == "GET" else {route.method}
        found.setdefault(route.template, set()).update(methods)
    return {t: tuple(m for m in METHODS if m in methods) for t, methods in found.items()}


def filled(template: str) -> str:
    """A path template with existing values for its parameters."""
    there = {"{origin_ip}": "192.0.2.1", "{format}": "csv"}
    for name, value in there.items():
        template = template.replace(name, value)
    return re.sub(r"\{\w+:hex32\}", initial_data.DEV_ID, template)

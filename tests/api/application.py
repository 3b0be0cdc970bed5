"""The whole application in this process, over a real store, without sockets."""

import contextlib
import os
import re
from collections.abc import AsyncIterator

import httpx

from originmap import bootstrap
from originmap.api.accesslog import AccessLog
from originmap.api.gate import Gate
from originmap.api.request import Rays
from originmap.bootstrap_server import build_app
from originmap.domain.record import Kind
from originmap.domain.zone import Account
from originmap.domain.zone_rules import add_missing
from originmap.service import setup
from originmap.settings import Settings
from tests.builders import CAUSE

BASE = "http://testserver/client/v4"
ZONE_URL = f"{BASE}/zones/{setup.DEV_ID}"
MAPPINGS = f"{ZONE_URL}/origin/cloud_regions"
DEV = Settings(enable_v1=True, slow_guessing=False)
"""As `originmap dev` has it."""
BEARER = {"Authorization": f"Bearer {setup.DEV_TOKEN}"}


@contextlib.asynccontextmanager
async def client_of(
    opened: bootstrap.Opened,
    headers: dict[str, str] | None = None,
    *,
    ready: bool = True,
    settings: Settings = DEV,
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application over an open store."""
    sink = os.open(os.devnull, os.O_WRONLY)
    log = AccessLog(sink)
    app = build_app(opened, lambda: ready, settings, log.traffic)
    gate = Gate(app.falcon, Rays(), log)
    transport = httpx.ASGITransport(gate, client=("192.0.2.200", 1))
    try:
        async with httpx.AsyncClient(transport=transport, headers=headers) as client:
            yield client
    finally:
        os.close(sink)


@contextlib.asynccontextmanager
async def dev_client(db: str = bootstrap.MEMORY) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the bearer token of `originmap dev`, over a fresh store."""
    async with (
        bootstrap.open_store(db, setup.prepare_dev) as opened,
        client_of(opened, BEARER) as client,
    ):
        yield client


@contextlib.asynccontextmanager
async def client_of_two_accounts(other: Account) -> AsyncIterator[httpx.AsyncClient]:
    """As `dev_client`, with another account beside Example."""
    async with bootstrap.open_store(bootstrap.MEMORY, setup.prepare_dev) as opened:
        await opened.store.write_records(add_missing([(Kind.ACCOUNT, other)]), CAUSE)
        async with client_of(opened, BEARER) as client:
            yield client


def filled(template: str) -> str:
    """A path template with what there is in the places of its parameters."""
    there = {"{origin_ip}": "192.0.2.1", "{format}": "csv"}
    for name, value in there.items():
        template = template.replace(name, value)
    return re.sub(r"\{\w+:hex32\}", setup.DEV_ID, template)

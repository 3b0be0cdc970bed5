"""The official Python client, sync and async, with one interface for both.

A test awaits `settled` on the result of a method, and `every` on the result of `list`, so one test
works for both clients.
"""

import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import cloudflare
import pytest
from cloudflare import AsyncCloudflare, Cloudflare

from tests.process import EMAIL, KEY, TOKEN, ZONE

Client = Cloudflare | AsyncCloudflare

BY_TOKEN = {"api_token": TOKEN}
BY_KEY = {"api_email": EMAIL, "api_key": KEY}


@asynccontextmanager
async def opened(kind: type[Client], base_url: str, **options: Any) -> AsyncIterator[Client]:
    """A client as its users create it, closed at the end."""
    client = kind(base_url=base_url, **options)
    try:
        yield client
    finally:
        await settled(client.close())


async def settled(answer: Any) -> Any:
    """The result of a method: immediate from the sync client, awaited from the async one."""
    return await answer if inspect.isawaitable(answer) else answer


async def refusal_of(call: Callable[[], Any]) -> cloudflare.APIStatusError:
    """The error of a call, raised by the sync client's call or by the await of the async one."""
    with pytest.raises(cloudflare.APIStatusError) as caught:
        await settled(call())
    return caught.value


def reasons(error: cloudflare.APIStatusError) -> list[tuple[int, str]]:
    """Code and message of each error in an exception."""
    return [(item.code, item.message) for item in error.errors]


async def every(pages: Any) -> list[Any]:
    """All items of a list; the client itself fetches the further pages."""
    if hasattr(pages, "__aiter__"):
        return [item async for item in pages]
    return list(pages)


async def put(regions: Any, origin_ip: str, vendor: str = "aws", region: str = "us-east-1") -> Any:
    """Create or replace one mapping; return the entry."""
    return await settled(
        regions.update(
            origin_ip, zone_id=ZONE, body_origin_ip=origin_ip, vendor=vendor, region=region
        )
    )


def fields(entry: Any) -> tuple[str, str, str]:
    """The values sent for an entry: address, vendor and region."""
    return entry.origin_ip, entry.vendor, entry.region

"""A server with two zones, and a token for the second one."""

import contextlib
from collections.abc import AsyncIterator

import httpx

from originmap import bootstrap
from originmap.domain.access.permissions import ZONE_PREFIX
from originmap.domain.access.token_rules import create_token
from originmap.domain.mapping.mapping import put
from originmap.service import initial_data
from originmap.store.port import Store
from tests.api.application import BEARER, MAPPINGS, client_of
from tests.builders import CAUSE, US_WEST, ip, new_zone, policy, token

OTHER = "a" * 32
SETTINGS_READ = "517b21aee92c4d89936c976ba6e4be55"
NARROW = {"Authorization": "Bearer secret-narrow"}


@contextlib.asynccontextmanager
async def two_zones() -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server with two zones, each with a mapping."""
    async with (
        bootstrap.open_store(bootstrap.MEMORY, initial_data.prepare_dev) as opened,
        client_of(opened, BEARER) as client,
    ):
        await add_other(opened.store)
        await opened.store.write(OTHER, [ip("192.0.2.2")], put(ip("192.0.2.2"), US_WEST), CAUSE)
        await change(client, "us-east-1")
        yield client


async def add_other(store: Store) -> None:
    """Create the second zone and its token."""
    await store.write_records(new_zone(OTHER, "example.org"), CAUSE)
    narrow = token("narrow", policy(True, [ZONE_PREFIX + OTHER], [SETTINGS_READ]))
    await store.write_records(create_token(narrow), CAUSE)


async def change(client: httpx.AsyncClient, region: str) -> None:
    """Put a mapping for the first zone's origin."""
    item = {"origin_ip": "192.0.2.1", "vendor": "aws", "region": region}
    (await client.put(f"{MAPPINGS}/192.0.2.1", json=item)).raise_for_status()

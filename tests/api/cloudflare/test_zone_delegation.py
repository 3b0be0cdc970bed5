"""A zone's name servers and verification key, as Terraform's provider reads them."""

import json
import re
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from originmap.service import initial_data
from tests.api.answers import error, result
from tests.api.application import BASE, ZONE_URL, dev_client

ZONES = f"{BASE}/zones"
KEY = re.compile(r"[1-9][0-9]{8}-[1-9][0-9]{9}")
BAD_SERVERS = (400, 1001, "vanity_name_servers must be an array of at most 20 host names.")
NAMES = ["ns1.example.com", "NS2.Example.com."]


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with dev_client() as client:
        yield client


async def _create(client: httpx.AsyncClient, **members: Any) -> Any:
    body = {"name": "new.example", "account": {"id": initial_data.DEV_ID}, **members}
    return result(await client.post(ZONES, json=body))


async def _everywhere(client: httpx.AsyncClient, zone_id: str) -> list[Any]:
    """The zone in the response of each route that returns it."""
    listed = result(await client.get(ZONES, params={"type": "full,partial,secondary,internal"}))
    named = [zone for zone in listed if zone["id"] == zone_id]
    return [*named, *[result(await client.get(f"{ZONES}/{zone_id}")) for _ in range(2)]]


@pytest.mark.proves("P-ZONE-9", "D-61")
@pytest.mark.parametrize(
    ("type_", "servers", "key"),
    [("full", 2, False), ("secondary", 2, False), ("partial", 0, True), ("internal", 0, False)],
)
async def test_name_servers_and_the_key_depend_on_the_type_and_do_not_change(
    client: httpx.AsyncClient, type_: str, servers: int, key: bool
) -> None:
    made = await _create(client, type=type_)
    for zone in [made, *await _everywhere(client, made["id"])]:
        assert zone["name_servers"] == made["name_servers"]
        assert zone.get("verification_key") == made.get("verification_key")
        assert "vanity_name_servers" not in zone
    assert len(set(made["name_servers"])) == servers
    assert all(name.endswith(".originmap.invalid") for name in made["name_servers"])
    assert ("verification_key" in made) == key
    assert not key or KEY.fullmatch(made["verification_key"])


@pytest.mark.proves("P-ZONE-9")
async def test_a_zone_that_changes_its_type_and_back_has_the_same_name_servers(
    client: httpx.AsyncClient,
) -> None:
    before = result(await client.get(ZONE_URL))
    partial = result(await client.patch(ZONE_URL, json={"type": "partial"}))
    assert partial["name_servers"] == []
    assert KEY.fullmatch(partial["verification_key"])
    after = result(await client.patch(ZONE_URL, json={"type": "full"}))
    assert after["name_servers"] == before["name_servers"]
    assert "verification_key" not in after


async def test_no_two_zones_have_the_same_name_servers_or_key(client: httpx.AsyncClient) -> None:
    made = [await _create(client, name=f"z{n}.example", type="partial") for n in range(5)]
    assert len({zone["verification_key"] for zone in made}) == 5
    full = [result(await client.patch(f"{ZONES}/{z['id']}", json={"type": "full"})) for z in made]
    assert len({name for zone in full for name in zone["name_servers"]}) == 10


@pytest.mark.proves("P-ZONE-10", "D-61")
@pytest.mark.parametrize("names", [NAMES, [], ["ns1.example.com"]])
async def test_vanity_name_servers_are_returned_unchanged(
    client: httpx.AsyncClient, names: list[str]
) -> None:
    made = await _create(client, vanity_name_servers=names)
    patched = result(await client.patch(ZONE_URL, json={"vanity_name_servers": names}))
    for zone in (made, patched):
        assert [z["vanity_name_servers"] for z in await _everywhere(client, zone["id"])] == [
            names
        ] * 3
        assert len(zone["name_servers"]) == 2
    again = result(await client.patch(ZONE_URL, json={"vanity_name_servers": names}))
    assert again == patched
    cleared = result(await client.patch(ZONE_URL, json={"vanity_name_servers": None}))
    assert "vanity_name_servers" not in cleared


@pytest.mark.parametrize(
    "names",
    ["ns1.example.com", {}, 7, [7], [None], ["a b"], ["a\n"], [""], ["ns.example.com"] * 21],
)
async def test_vanity_name_servers_are_a_list_of_hosts(
    client: httpx.AsyncClient, names: Any
) -> None:
    body = {
        "name": "new.example",
        "account": {"id": initial_data.DEV_ID},
        "vanity_name_servers": names,
    }
    assert error(await client.post(ZONES, json=body)) == BAD_SERVERS
    assert error(await client.patch(ZONE_URL, json={"vanity_name_servers": names})) == BAD_SERVERS


_OLD_MEMBERS = {
    "id", "name", "account_id", "created_on", "modified_on", "type", "paused", "tiered_cache",
    "smart_tiered_cache", "regional_tiered_cache",
}  # fmt: skip
"""The members of a zone's record before name servers were added."""


def _to_old_form(file: Path) -> int:
    """Remove the new members from every zone in a database, its history included."""
    connection = sqlite3.connect(file)

    def old(body: bytes | None) -> bytes | None:
        if body is None:
            return None
        zone = json.loads(body)
        assert set(zone) > _OLD_MEMBERS
        return json.dumps({n: v for n, v in zone.items() if n in _OLD_MEMBERS}).encode()

    connection.create_function("old", 1, old)
    with connection:
        changed = connection.execute("UPDATE record SET body = old(body) WHERE kind = 'zone'")
        connection.execute(
            "UPDATE record_change SET before = old(before), after = old(after) WHERE kind = 'zone'"
        )
    connection.close()
    return changed.rowcount


@pytest.mark.proves("D-61")
async def test_zones_of_an_older_database_have_name_servers_once_it_is_opened(
    tmp_path: Path,
) -> None:
    file = tmp_path / "old.db"
    async with dev_client(str(file)) as client:
        made = await _create(client, type="secondary", vanity_name_servers=NAMES)
    assert _to_old_form(file) == 2
    async with dev_client(str(file)) as client:
        zone = result(await client.get(f"{ZONES}/{made['id']}"))
        assert zone["name_servers"] == made["name_servers"]
        assert "vanity_name_servers" not in zone
        assert len(result(await client.get(ZONE_URL))["name_servers"]) == 2
        logs = await client.get(f"{BASE}/accounts/{initial_data.DEV_ID}/audit_logs")
        assert any(entry["newValueJson"].get("id") == made["id"] for entry in result(logs))

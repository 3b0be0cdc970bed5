"""Zones with names in Unicode, over HTTP: returned as sent, found by either form."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from originmap.service import initial_data
from tests.api.answers import error, result
from tests.api.application import BASE, dev_client

ZONES = f"{BASE}/zones"
OWN = BASE.replace("client/v4", "originmap/v1")
NAME, ASCII = "żółw.example", "xn--w-uga1v8h.example"
MAPPING = {"origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"}


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with dev_client() as client:
        yield client


async def _create(client: httpx.AsyncClient, name: str) -> httpx.Response:
    return await client.post(ZONES, json={"name": name, "account": {"id": initial_data.DEV_ID}})


@pytest.mark.proves("P-ZONE-11", "D-62")
@pytest.mark.parametrize(
    ("sent", "shown"),
    [(NAME, NAME), ("ŻÓŁW.Example.", NAME), ("z\u0307o\u0301łw.example", NAME), (ASCII, ASCII)],
)
async def test_a_name_is_returned_in_the_form_in_which_it_was_sent(
    client: httpx.AsyncClient, sent: str, shown: str
) -> None:
    made = result(await _create(client, sent))
    assert made["name"] == shown
    assert len(made["name_servers"]) == 2
    assert result(await client.get(f"{ZONES}/{made['id']}"))["name"] == shown
    for name in (NAME, NAME.upper(), ASCII, "equal:" + NAME, "contains:" + NAME[:3]):
        found = result(await client.get(ZONES, params={"name": name}))
        assert [zone["name"] for zone in found] == [shown]
    logs = f"{BASE}/accounts/{initial_data.DEV_ID}/audit_logs"
    for name in (NAME, ASCII):
        (entry,) = result(await client.get(logs, params={"zone.name": name}))
        assert entry["metadata"]["zone_name"] == shown


@pytest.mark.proves("D-62")
@pytest.mark.parametrize("first", [NAME, ASCII])
async def test_either_form_of_a_name_that_exists_is_1061(
    client: httpx.AsyncClient, first: str
) -> None:
    result(await _create(client, first))
    for name in (NAME, ASCII, NAME.upper(), "z\u0307ółw.example"):
        assert error(await _create(client, name)) == (400, 1061, "The zone already exists.")


@pytest.mark.proves("D-62")
@pytest.mark.parametrize("name", ["i❤.ws", "xn--i-7iq.ws", "ab--ü.example", "\u212a.com", "a。b"])
async def test_a_label_that_idna_2008_refuses_is_1002(client: httpx.AsyncClient, name: str) -> None:
    assert error(await _create(client, name)) == (400, 1002, "Invalid domain")


async def test_our_own_routes_find_a_zone_by_either_form_and_exports_use_a_labels(
    client: httpx.AsyncClient,
) -> None:
    made = result(await _create(client, NAME))
    url = f"{ZONES}/{made['id']}/origin/cloud_regions/192.0.2.1"
    result(await client.put(url, json=MAPPING))
    for name in (NAME, ASCII, NAME.upper()):
        asked = await client.get(f"{OWN}/zones/{quote(name)}/resolve?ip=192.0.2.1")
        assert result(asked)["origins"][0]["region"] == "us-east-1"
        for form in ("json", "csv", "nginx", "varnish"):
            query = {"zone": name}
            if form in ("nginx", "varnish"):
                query["upstream"] = "{colo}.example:80"
            answer = await client.get(f"{OWN}/export/{form}", params=query)
            assert answer.status_code == 200, answer.text
            assert answer.text.isascii()
            assert ASCII in answer.text


async def test_a_name_survives_a_restart(tmp_path: Path) -> None:
    file = str(tmp_path / "zones.db")
    async with dev_client(file) as client:
        result(await _create(client, NAME))
    async with dev_client(file) as client:
        (zone,) = result(await client.get(ZONES, params={"name": ASCII}))
        assert zone["name"] == NAME

"""Detection over HTTP, and the warnings about mappings that contradict published ranges."""

import datetime
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from originmap import bootstrap
from originmap.detect.content import read_file
from originmap.detect.files import RangeFiles
from originmap.service import initial_data
from tests.api.answers import error, result
from tests.api.application import BEARER, MAPPINGS, client_of

URL = "http://testserver/originmap/v1/detect"
FILES = Path(__file__).parents[2] / "detect" / "files"
WEST, LOS_ANGELES, GLOBAL, NOWHERE = "192.0.2.1", "192.0.2.130", "198.18.0.1", "203.0.113.254"


def _now() -> datetime.datetime:
    return datetime.datetime(2026, 11, 24, tzinfo=datetime.UTC)


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A server with the sample of AWS's ranges."""
    files = RangeFiles(tmp_path, _now)
    files.keep([read_file(FILES / "aws.json")])
    async with (
        bootstrap.open_store(bootstrap.MEMORY, initial_data.prepare_dev) as opened,
        client_of(opened, BEARER) as client,
    ):
        opened.detector.replace(files.table())
        yield client


def _item(ip: str, region: str, vendor: str = "aws") -> dict[str, str]:
    return {"origin_ip": ip, "vendor": vendor, "region": region}


async def _detect(client: httpx.AsyncClient, *addresses: Any) -> Any:
    answer = await client.post(URL, json={"addresses": list(addresses)})
    return result(answer)["detections"]


async def test_each_address_gets_its_verdict_and_evidence(client: httpx.AsyncClient) -> None:
    west, far, everywhere, nowhere = await _detect(client, WEST, LOS_ANGELES, GLOBAL, NOWHERE)
    assert west == {
        "ip": WEST, "verdict": "confirmed", "verifiable": True, "claim": None,
        "evidence": {
            "prefix": "192.0.2.0/25", "vendor": "aws", "region": "us-west-2",
            "services": ["AMAZON", "EC2"], "border_group": "us-west-2",
            "published": "2026-08-22T15:17:05.000000Z", "in_catalogue": True,
        },
    }  # fmt: skip
    assert far["evidence"]["border_group"] == "us-west-2-lax-1"
    assert (everywhere["verdict"], everywhere["evidence"]["region"]) == ("vendor-only", None)
    assert (nowhere["verdict"], nowhere["evidence"]) == ("unlisted", None)


async def test_a_claim_is_checked(client: httpx.AsyncClient) -> None:
    claims = [
        {"ip": WEST, "vendor": "aws", "region": "us-west-2"},
        {"ip": WEST, "vendor": "aws", "region": "us-east-1"},
        {"ip": GLOBAL, "vendor": "aws", "region": "us-east-1"},
    ]
    found = await _detect(client, *claims)
    assert [d["verdict"] for d in found] == ["confirmed", "mismatch", "vendor-only"]
    assert found[1]["claim"] == {"vendor": "aws", "region": "us-east-1"}


async def test_at_most_a_thousand_addresses_are_accepted(client: httpx.AsyncClient) -> None:
    assert len(await _detect(client, *[WEST] * 1000)) == 1000
    answer = await client.post(URL, json={"addresses": [WEST] * 1001})
    assert error(answer)[:2] == (400, 10400)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, 10400), ({"addresses": []}, 10400), ({"addresses": [7]}, 10400), ([], 10400),
        ({"addresses": [{"ip": WEST}]}, 10400), ({"addresses": [WEST], "more": 1}, 10400),
        ({"addresses": ["nonsense"]}, 1146), ({"addresses": ["example.com"]}, 1146),
    ],
)  # fmt: skip
async def test_invalid_requests_are_refused(
    client: httpx.AsyncClient, body: Any, code: int
) -> None:
    assert error(await client.post(URL, json=body))[:2] == (400, code)


async def test_any_valid_credential_is_enough(client: httpx.AsyncClient) -> None:
    answer = await client.post(URL, json={"addresses": [WEST]}, headers={"Authorization": ""})
    assert error(answer)[:2] == (400, 6003)


async def test_a_mapping_that_contradicts_the_ranges_is_written_with_a_warning(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.put(f"{MAPPINGS}/{WEST}", json=_item(WEST, "us-east-1"))
    note = {"code": 11570, "message": f"published ranges place {WEST} in aws us-west-2"}
    assert (answer.status_code, answer.json()["messages"]) == (200, [note])
    assert result(await client.get(f"{MAPPINGS}/{WEST}"))["region"] == "us-east-1"


@pytest.mark.parametrize(
    ("ip", "region"), [(WEST, "us-west-2"), (GLOBAL, "us-east-1"), (NOWHERE, "us-east-1")]
)
async def test_a_mapping_without_contradiction_has_no_warning(
    client: httpx.AsyncClient, ip: str, region: str
) -> None:
    answer = await client.put(f"{MAPPINGS}/{ip}", json=_item(ip, region))
    assert (answer.status_code, answer.json()["messages"]) == (200, [])


async def test_a_batch_has_a_warning_for_each_written_mapping(client: httpx.AsyncClient) -> None:
    items = [
        _item(WEST, "us-east-1"),
        _item(NOWHERE, "us-east-1"),
        _item(GLOBAL, "us-central1", "gcp"),
        _item(LOS_ANGELES, "nowhere"),
    ]
    messages = (await client.put(f"{MAPPINGS}/batch", json=items)).json()["messages"]
    assert [message["message"] for message in messages] == [
        f"published ranges place {WEST} in aws us-west-2",
        f"published ranges place {GLOBAL} in aws",
    ]

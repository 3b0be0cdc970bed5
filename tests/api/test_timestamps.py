"""Parsing and formatting of times."""

import pytest

from originmap.api.timestamps import parse_timestamp, timestamp
from originmap.service.initial_data import DEV_ID
from tests.api.application import BASE, dev_client


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2026-03-01T12:00:00Z", "2026-03-01T12:00:00.000000Z"),
        ("2026-03-01T12:00:00.123456+02:00", "2026-03-01T10:00:00.123456Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_times_are_written_in_utc(text: str, written: str) -> None:
    assert timestamp(parse_timestamp(text)) == written


@pytest.mark.parametrize(
    "text",
    [
        "", "tomorrow", "2026-03-01", "2026-03-01T12:00:00", "2026-02-30T12:00:00Z",
        "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00",
    ],
)  # fmt: skip
def test_a_time_that_cannot_be_written_is_not_read(text: str) -> None:
    with pytest.raises(ValueError):
        parse_timestamp(text)


@pytest.mark.parametrize("name", ["since", "before"])
async def test_an_invalid_time_is_reported_with_its_argument(name: str) -> None:
    async with dev_client() as client:
        url = f"{BASE}/accounts/{DEV_ID}/audit_logs"
        assert (await client.get(url, params={name: "2026-03-01"})).status_code == 200
        answer = await client.get(url, params={name: "tomorrow"})
    text = f"invalid {name} parameter, must be a date or a time like 2026-03-01T12:00:00Z"
    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"code": 1146, "message": text}]

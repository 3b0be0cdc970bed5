"""When the next request can be sent."""

import datetime

import pytest

from originmap.client.pace import LONGEST_SECONDS, back_off, retry_after, wait_after

NOW = datetime.datetime(2026, 11, 24, 12, 0, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ('"default";r=50;t=30', 0),
        ('"default";r=0;t=30', 30),
        ('"default";r=1;t=30', 0),
        ('"default";r=0', 0),
        ('"burst";r=0;t=5, "default";r=0;t=30', 30),
        ('"burst";r=3;t=5, "default";r=0;t=30', 30),
        ('"default"; r=0; t=12', 12),
        ('"default";r=0;t=999999', LONGEST_SECONDS),
        ("nonsense", 0),
        ("", 0),
    ],
)
def test_a_used_up_quota_waits_for_its_renewal(header: str, seconds: float) -> None:
    assert wait_after({"ratelimit": header}) == seconds


def test_without_a_rate_limit_there_is_no_wait() -> None:
    assert wait_after({}) == 0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        ("0", 0),
        ("Tue, 24 Nov 2026 12:00:09 GMT", 9),
        ("Tue, 24 Nov 2026 11:00:00 GMT", 0),
        ("86400", LONGEST_SECONDS),
        ("soon", None),
        ("-1", None),
        ("", None),
    ],
)
def test_retry_after_is_read_from_an_error_response(value: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": value}, NOW) == seconds


def test_retries_back_off_and_end() -> None:
    pauses = list(back_off())
    assert pauses == sorted(pauses)
    assert 10 < sum(pauses) < 60

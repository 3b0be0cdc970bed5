"""When the next request may be sent."""

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
def test_the_rest_of_a_window_is_waited_out_when_it_is_used_up(header: str, seconds: float) -> None:
    assert wait_after({"ratelimit": header}) == seconds


def test_without_a_limit_nothing_is_waited() -> None:
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
def test_a_refusal_has_retry_after(value: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": value}, NOW) == seconds


def test_tries_get_rarer_and_end() -> None:
    pauses = list(back_off())
    assert pauses == sorted(pauses)
    assert 10 < sum(pauses) < 60

"""The limit on slow downloads."""

import asyncio

import pytest

from originmap.api.http.download_timeout import DownloadTimeout
from originmap.api.http.limits import Limits

LIMITS = Limits(stalled_seconds=1.0, least_speed=1_000)


@pytest.mark.parametrize(("size", "cuts"), [(10_000, 0), (1, 1)])
async def test_time_without_progress_adds_up_until_a_client_has_read_enough(
    size: int, cuts: int
) -> None:
    cut: list[bool] = []
    timeout = DownloadTimeout(LIMITS, lambda: cut.append(True))
    for _ in range(12):
        await timeout.wait(asyncio.sleep(0.1), size)
        if cut:
            break
    assert len(cut) == cuts

"""A server's table is reloaded when the files change; bad files are ignored."""

import asyncio
import datetime
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from originmap.detect.content import read_file
from originmap.detect.files import RangeFiles
from originmap.detect.watch import RangesWatch
from originmap.domain.detection.ranges import RangeTable

FILES = Path(__file__).parent / "files"


def _now() -> datetime.datetime:
    return datetime.datetime(2026, 11, 24, tzinfo=datetime.UTC)


class Follower:
    """A watch on a folder, and the tables that it loaded."""

    def __init__(self, folder: Path) -> None:
        self.files = RangeFiles(folder, _now)
        self.given: asyncio.Queue[RangeTable] = asyncio.Queue()

    def keep(self, name: str) -> None:
        self.files.keep([read_file(FILES / name)])

    async def vendors(self) -> tuple[str, ...]:
        """The vendors of the next table."""
        return tuple((await asyncio.wait_for(self.given.get(), 10)).vendors)


@pytest.fixture
async def follower(tmp_path: Path) -> AsyncIterator[Follower]:
    follower = Follower(tmp_path / "ranges")
    files = follower.files
    watch = RangesWatch(files.folder, files.table, follower.given.put_nowait)
    task = asyncio.create_task(watch.run(seconds=0.01))
    yield follower
    task.cancel()


async def test_each_change_of_the_files_loads_a_table(follower: Follower) -> None:
    follower.keep("aws.json")
    assert await follower.vendors() == ("aws",)
    follower.keep("gcp.json")
    while await follower.vendors() != ("aws", "gcp"):
        pass  # a table loaded between two files of one vendor equals the old one


async def test_without_files_or_a_change_no_table_is_loaded(follower: Follower) -> None:
    await asyncio.sleep(0.1)
    assert follower.given.empty()


async def test_a_damaged_file_is_logged_and_loads_no_table(
    follower: Follower, caplog: pytest.LogCaptureFixture
) -> None:
    follower.keep("aws.json")
    await follower.vendors()
    with caplog.at_level(logging.ERROR):
        for path in follower.files.folder.glob("aws*"):
            path.write_bytes(b"garbage")
        while not caplog.records:
            await asyncio.sleep(0.01)
    assert follower.given.empty()
    assert "aws" in caplog.records[0].__dict__["data"]["why"]

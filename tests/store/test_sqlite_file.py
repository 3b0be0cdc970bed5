"""What becomes of the file of a database while a server uses it: removed, opened to others,
damaged, on a full disk."""

import asyncio
import logging
import os
import resource
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from originmap.domain.errors import StoreFailed
from originmap.domain.mapping import mapping
from originmap.domain.mapping.mapping import Decision, MappingChange, ZoneView
from originmap.store.sqlite.store import SqliteStore
from tests.builders import CAUSE, US_EAST, ZONE_ID, ip, ips, new_zone

PAGE = 4096


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(tmp_path / "a.db")
    await store.write_records(new_zone(), CAUSE)
    assert store.writable
    yield store
    await store.close()


async def put(store: SqliteStore, text: str) -> None:
    await store.write(ZONE_ID, (ip(text),), mapping.put(ip(text), US_EAST), CAUSE)


async def fill(store: SqliteStore, count: int) -> None:
    addresses = ips(count)

    def decide(view: ZoneView) -> Decision[None]:
        return Decision(tuple(MappingChange(a, None, US_EAST) for a in addresses), None)

    await store.write(ZONE_ID, addresses, decide, CAUSE)


def removed(path: Path) -> None:
    path.unlink()


def replaced(path: Path) -> None:
    shutil.copy(path, f"{path}.copy")
    os.replace(f"{path}.copy", path)


@pytest.mark.parametrize("change", [removed, replaced])
@pytest.mark.parametrize("ending", ["", "-wal", "-shm"])
async def test_a_file_that_was_removed_or_replaced_is_noticed_and_takes_no_write(
    store: SqliteStore,
    tmp_path: Path,
    change: Callable[[Path], None],
    ending: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = tmp_path / f"a.db{ending}"
    shutil.copy(path, tmp_path / "kept")
    os.link(path, tmp_path / "same")
    change(path)
    assert not store.writable
    assert f"{path} was removed or replaced" in caplog.records[-1].__dict__["data"]["why"]
    with pytest.raises(StoreFailed, match="was removed or replaced"):
        await put(store, "192.0.2.1")
    os.replace(tmp_path / "same", path)
    assert store.writable
    await put(store, "192.0.2.1")


async def test_a_removed_file_is_logged_without_a_request(
    store: SqliteStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a.db").unlink()
    watch = store._watch_file()
    asyncio.get_running_loop().call_later(0.05, watch.close)
    task = asyncio.create_task(watch)
    await asyncio.sleep(0)
    task.cancel()
    assert [r.levelno for r in caplog.records if r.message == "not ready"] == [logging.ERROR]


@pytest.mark.parametrize("mode", [0o666, 0o644, 0o604, 0o777])
async def test_rights_of_other_users_are_taken_away_when_a_file_is_opened(
    tmp_path: Path, mode: int, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.db"
    await SqliteStore(path).close()
    path.chmod(mode)
    store = SqliteStore(path)
    await store.write_records(new_zone(), CAUSE)
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}
    assert f"mode {mode:04o}" in caplog.text
    await store.close()


async def test_rights_of_other_users_are_taken_away_from_a_file_in_use(
    store: SqliteStore, tmp_path: Path
) -> None:
    for path in tmp_path.iterdir():
        path.chmod(0o666)
    assert store.writable
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


async def test_rights_of_the_group_are_the_operators_choice(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    await SqliteStore(path).close()
    path.chmod(0o660)
    store = SqliteStore(path)
    assert path.stat().st_mode & 0o777 == 0o660
    await store.close()


async def test_a_full_disk_is_detected_before_a_write(
    store: SqliteStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    full = (tmp_path / "a.db-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (full, before[1]))
    try:
        ready = store.writable
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (ready, store.writable) == (False, True)
    assert [r.message for r in caplog.records] == ["not ready", "ready again"]
    assert store.room() > 1 << 20


async def test_damaged_pages_end_readiness_with_one_line_and_without_a_traceback(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.db"
    store = SqliteStore(path)
    await store.write_records(new_zone(), CAUSE)
    await fill(store, 3_000)
    root = store._file.writer.execute("SELECT rootpage FROM sqlite_schema WHERE name='mapping'").get
    await store.close()
    store = SqliteStore(path)
    with path.open("r+b") as file:
        file.seek((root - 1) * PAGE)
        file.write(b"\xa5" * PAGE)
    for _ in range(3):
        with pytest.raises(StoreFailed, match="malformed"):
            await store.get(ZONE_ID, ip("10.0.0.1"))
        await asyncio.sleep(0.01)
    with pytest.raises(StoreFailed, match="malformed"):
        await put(store, "192.0.2.1")
    with pytest.raises(StoreFailed, match="malformed"):
        async for _part in store.snapshot():
            pass
    assert not store.writable
    assert [(r.message, r.exc_info) for r in caplog.records] == [("not ready", None)]
    assert "damaged" in caplog.records[0].__dict__["data"]["why"]
    await store.close()


async def test_a_file_that_turned_to_noise_is_closed_without_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    store = SqliteStore(path)
    await store.write_records(new_zone(), CAUSE)
    with path.open("r+b") as file:
        file.write(b"\xa5" * file.seek(0, os.SEEK_END))
    await store.close()

"""What is particular to the SQLite store: files, restarts, and failing disks."""

import asyncio
import itertools
import threading
from collections.abc import Sequence
from pathlib import Path

import apsw
import pytest

from originmap.domain.errors import StoreBusy, StoreFailed, StoreOwned, StoreUnusable, ZoneNotFound
from originmap.domain.history.change import Committed
from originmap.domain.history.record import RecordChange
from originmap.domain.history.snapshot import SnapshotStart
from originmap.domain.mapping import mapping
from originmap.domain.mapping.mapping import Decision
from originmap.domain.tier.latency import Latencies, Measurement
from originmap.domain.tier.topology_rules import set_latencies
from originmap.store.group import GroupCommit, Write
from originmap.store.sqlite import file as sqlite_file
from originmap.store.sqlite.store import SqliteStore
from tests.builders import CAUSE, US_EAST, US_WEST, ZONE_ID, ip, new_zone, remove_zone


async def _put(store: SqliteStore, text: str, place: mapping.Place = US_EAST) -> None:
    await store.write(ZONE_ID, (ip(text),), mapping.put(ip(text), place), CAUSE)


async def test_all_data_survives_a_restart(tmp_path: Path) -> None:
    first = SqliteStore(tmp_path / "a.db")
    await first.write_records(new_zone(), CAUSE)
    await _put(first, "192.0.2.1")
    written, epoch = await first.get(ZONE_ID, ip("192.0.2.1")), first.epoch
    await first.close()
    second = SqliteStore(tmp_path / "a.db", now=lambda: 5)  # a clock far in the past
    assert await second.get(ZONE_ID, ip("192.0.2.1")) == written
    assert (second.revision, second.epoch) == (2, epoch)
    await _put(second, "192.0.2.1", US_WEST)
    changed = await second.get(ZONE_ID, ip("192.0.2.1"))
    assert written
    assert changed
    assert (changed.revision, changed.modified_on) == (3, written.modified_on + 1)
    await second.close()


async def test_one_process_owns_a_file(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.db")
    with pytest.raises(StoreOwned):
        SqliteStore(tmp_path / "a.db")
    await store.close()
    await SqliteStore(tmp_path / "a.db").close()


async def test_other_users_cannot_read_the_files(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.db")
    await store.write_records(new_zone(), CAUSE)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    await store.close()


async def test_a_full_disk_fails_the_write_and_keeps_the_rest(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.db")
    await store.write_records(new_zone(), CAUSE)
    await _put(store, "192.0.2.1")
    writer = store._file.writer  # the fault is put where the disk would put it
    pages = writer.pragma("page_count")
    assert isinstance(pages, int)
    writer.pragma("max_page_count", pages)
    with pytest.raises(StoreFailed, match="full"):
        await asyncio.gather(*(_put(store, f"10.1.{n // 250}.{n % 250}") for n in range(2000)))
    assert (store.writable, (await store.page(ZONE_ID, 0, 1)).total) == (False, 1)
    revision = store.revision
    writer.pragma("max_page_count", 1_000_000)
    await _put(store, "192.0.2.2")
    assert (store.writable, store.revision) == (True, revision + 1)
    await store.close()


async def test_a_new_place_is_forgotten_with_the_transaction_that_made_it(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.db")
    await store.write_records(new_zone(), CAUSE)
    store._file.writer.execute("CREATE TEMP TRIGGER fail BEFORE INSERT ON mapping_change "
                          "BEGIN SELECT raise(ABORT, 'broken'); END")  # fmt: skip
    with pytest.raises(StoreFailed, match="broken"):
        await _put(store, "192.0.2.1")
    store._file.writer.execute("DROP TRIGGER fail")
    await _put(store, "192.0.2.1")
    found = await store.get(ZONE_ID, ip("192.0.2.1"))
    assert found is not None
    assert found.place == US_EAST
    await store.close()


async def test_a_zone_exists_until_its_removal_is_durable(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.db")
    await store.write_records(new_zone(), CAUSE)
    await _put(store, "192.0.2.1")
    disk = threading.Event()
    store._committer.submit(disk.wait, 20)  # what is committed from now on waits for the disk
    removal = asyncio.ensure_future(store.write_records(remove_zone(), CAUSE))
    while not store._file.writer.in_transaction:
        await asyncio.sleep(0)
    found, page = await store.get(ZONE_ID, ip("192.0.2.1")), await store.page(ZONE_ID, 0, 1)
    disk.set()
    await removal
    assert (found is not None, page.total) == (True, 1)
    assert await store.get(ZONE_ID, ip("192.0.2.1")) is None
    assert (await store.page(ZONE_ID, 0, 1)).total == 0
    with pytest.raises(ZoneNotFound):
        await _put(store, "192.0.2.1")
    await store.close()


async def test_a_zone_whose_end_fails_goes_on(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.db")
    await store.write_records(new_zone(), CAUSE)
    store._file.writer.execute("CREATE TEMP TRIGGER fail BEFORE DELETE ON record "
                               "BEGIN SELECT raise(ABORT, 'broken'); END")  # fmt: skip
    with pytest.raises(StoreFailed, match="broken"):
        await store.write_records(remove_zone(), CAUSE)
    store._file.writer.execute("DROP TRIGGER fail")
    await _put(store, "192.0.2.1")
    assert await store.get(ZONE_ID, ip("192.0.2.1")) is not None
    await store.close()


def _make_foreign(path: Path) -> None:
    with apsw.Connection(str(path)) as connection:
        connection.execute("CREATE TABLE theirs (x)")


def _make_newer(path: Path) -> None:
    with apsw.Connection(str(path)) as connection:
        connection.pragma("application_id", 0x4F524D50)
        connection.pragma("user_version", 999)
        connection.execute("CREATE TABLE future (x)")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: path.write_bytes(b"no database" * 1000), "not a database"),
        (_make_foreign, "another program"),
        (_make_newer, "version 999"),
    ],
)
async def test_a_file_that_cannot_be_used_is_refused_unchanged(
    tmp_path: Path, make: object, says: str
) -> None:
    path = tmp_path / "a.db"
    assert callable(make)
    make(path)
    before = path.read_bytes()
    for _ in range(2):  # the lock is given up after a refusal
        with pytest.raises(StoreUnusable, match=says):
            SqliteStore(path)
    assert path.read_bytes() == before


def _write() -> Write:
    return Write(CAUSE, decide=lambda view: Decision((), None))


async def test_a_full_queue_refuses_more_and_takes_them_again_later() -> None:
    disk = asyncio.Event()

    async def commit(group: Sequence[Write]) -> None:
        await disk.wait()
        for write in group:
            write.done(Committed(1, 1, None))

    queue = GroupCommit(commit, max_waiting=2)
    committing = [asyncio.ensure_future(queue.submit(_write())) for _ in range(2)]
    await asyncio.sleep(0.01)  # the disk has them both now
    waiting = [asyncio.ensure_future(queue.submit(_write())) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(StoreBusy):
        await queue.submit(_write())
    disk.set()
    assert await asyncio.gather(*committing, *waiting) == [Committed(1, 1, None)] * 4
    assert await queue.submit(_write()) == Committed(1, 1, None)
    await queue.close()


async def test_writes_go_on_after_a_read_that_ended_its_own_snapshot(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.db")
    await store.write_records(new_zone(), CAUSE)
    assert await store.get(ZONE_ID, ip("192.0.2.1")) is None
    store._reader.connection.execute(
        "ROLLBACK"
    )  # what SQLite does itself after a disk's read error
    await _put(store, "192.0.2.1")
    assert await store.get(ZONE_ID, ip("192.0.2.1")) is not None
    assert store.revision == 2
    await store.close()


async def test_a_commit_is_readable_after_the_notification(tmp_path: Path) -> None:
    """SQLite shows a commit to other connections before the thread that waits for it is back."""
    store = SqliteStore(tmp_path / "a.db")
    await store.write_records(new_zone(), CAUSE)
    written, go_on = threading.Event(), threading.Event()

    def wait(*_: object) -> int:
        written.set()
        go_on.wait(10)
        return apsw.SQLITE_OK

    store._file.writer.set_wal_hook(wait)  # called once the commit can be read
    writing = asyncio.create_task(_put(store, "192.0.2.1"))
    await asyncio.to_thread(written.wait, 10)
    for _ in range(2):  # also in a later turn of the event loop
        assert [change.revision for change in await store.changes(0, 10)] == [1]
        assert [change.revision for change in await store.changes_before(10, 10)] == [1]
        assert await store.get(ZONE_ID, ip("192.0.2.1")) is None
        assert (await store.page(ZONE_ID, 0, 10)).total == 0
        await asyncio.sleep(0.01)
    parts = store.snapshot()
    first = asyncio.ensure_future(anext(parts))
    await asyncio.sleep(0.01)
    assert (store.revision, first.done()) == (1, False)
    go_on.set()
    start = await first
    assert isinstance(start, SnapshotStart)
    assert start.revision == store.revision == 2
    await writing
    assert [change.revision for change in await store.changes(0, 10)] == [1, 2]
    await parts.aclose()  # type: ignore[attr-defined]
    await store.close()


async def test_the_log_is_folded_into_the_file_however_much_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "_CHECKPOINT_PAGES", 50)
    store = SqliteStore(tmp_path / "a.db")
    await store.write_records(new_zone(), CAUSE)
    log, sizes = tmp_path / "a.db-wal", []
    for n in range(400):
        await asyncio.gather(_put(store, f"10.0.0.{n % 250}"), store.get(ZONE_ID, ip("10.0.0.1")))
        await store.changes(store.revision - 1, 10)
        sizes.append(log.stat().st_size)
    assert sizes[-1] < 200 * 4096 + 10_000
    await store.close()


async def test_a_history_of_large_records_is_read_a_few_at_a_time(tmp_path: Path) -> None:
    """Measurements that are set each minute fill a history with megabytes a change."""
    store = SqliteStore(tmp_path / "a.db")
    for n in range(6):
        measured = [Measurement(f"C{i}", *US_EAST, float(n), 1) for i in range(8_000)]
        await store.write_records(set_latencies(Latencies(tuple(measured))), CAUSE)
    every = [await store.changes(n, 1) for n in range(6)]
    assert [[change.revision for change in found] for found in every] == [[n] for n in range(1, 7)]
    assert [change.revision for change in await store.changes(0, 10)] == [1, 2]
    assert await store.changes(0, 2) == [*every[0], *every[1]]
    assert [change.revision for change in await store.changes_before(7, 10)] == [6]
    for earlier, later in itertools.pairwise(change for found in every for change in found):
        assert isinstance(later.what, RecordChange)
        assert later.what.before == earlier.what.after
    await store.close()

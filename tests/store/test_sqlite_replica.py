"""The file of a replica is moved aside if it is damaged; that of a primary never is."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from originmap import databases
from originmap.domain.errors import StoreFailed, StoreOwned, StoreUnusable
from originmap.domain.mapping import mapping
from originmap.edge.follow.follower import Follower
from originmap.service.feed.replication import Replication
from originmap.store.memory import MemoryStore
from originmap.store.sqlite import replica as sqlite_replica
from originmap.store.sqlite.replica import open_replica
from originmap.store.sqlite.store import SqliteStore
from tests.builders import CAUSE, US_EAST, US_WEST, ZONE_ID, ips, new_zone
from tests.edge.test_follower import OfStore

PAGE = 4096


def noise(path: Path) -> None:
    path.write_bytes(b"\xa5" * path.stat().st_size)


def short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: 3 * PAGE])


def one_byte(path: Path) -> None:
    path.write_bytes(b"x")


def a_page(path: Path) -> None:
    with apsw.Connection(str(path)) as connection:
        root = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'mapping'").get
    with path.open("r+b") as file:
        file.seek((root - 1) * PAGE)
        file.write(b"\xa5" * PAGE)


def newer(path: Path) -> None:
    with apsw.Connection(str(path)) as connection:
        connection.pragma("user_version", 999)


DAMAGE = [noise, short, one_byte, a_page, newer]


async def source() -> MemoryStore:
    store = MemoryStore()
    await store.write_records(new_zone(), CAUSE)
    for address in ips(100):
        await store.write(ZONE_ID, (address,), mapping.put(address, US_EAST), CAUSE)
    return store


async def copy_at(path: Path) -> bytes:
    """Create the file of a replica."""
    store = open_replica(path, always_copy=False)
    await store.load((await source()).snapshot())
    await store.close()
    return path.read_bytes()


@pytest.mark.parametrize("damage", DAMAGE)
async def test_a_damaged_copy_is_moved_aside_and_replaced(
    tmp_path: Path, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    path, aside = tmp_path / "replica.db", tmp_path / "replica.db.damaged"
    for _ in range(2):  # only the last damaged file is kept
        await copy_at(path)
        damage(path)
        damaged = path.read_bytes()
        store = open_replica(path, always_copy=False)
        assert (store.revision, store.is_replica) == (0, False)
        await store.load((await source()).snapshot())
        assert (await store.page(ZONE_ID, 0, 1)).total == 100
        await store.close()
        assert aside.read_bytes() == damaged
    line = next(r for r in caplog.records if "full sync" in r.message)
    assert line.__dict__["data"]["moved_to"] == str(aside)
    assert {p.name for p in tmp_path.iterdir()} <= {
        *(path.name, aside.name, "replica.db-replica"),
        *("replica.db.damaged-wal", "replica.db.damaged-shm"),
    }


@pytest.mark.parametrize("damage", DAMAGE)
async def test_the_damaged_database_of_a_primary_is_never_touched(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    path = tmp_path / "primary.db"
    store = SqliteStore(path)
    await store.load((await source()).snapshot())
    await store.promote()
    await store.close()
    damage(path)
    damaged = path.read_bytes()
    try:
        store = open_replica(path, always_copy=False)
    except StoreUnusable:
        pass
    else:  # only a page that is not read at the start
        assert damage is a_page
        await store.close()
    assert path.read_bytes() == damaged
    assert [p for p in tmp_path.iterdir() if "damaged" in p.name] == []


async def test_a_promoted_copy_is_not_treated_as_a_copy(tmp_path: Path) -> None:
    path = tmp_path / "replica.db"
    await copy_at(path)
    store = open_replica(path, always_copy=False)
    await store.promote()
    await store.close()
    noise(path)
    with pytest.raises(StoreUnusable):
        open_replica(path, always_copy=False)
    assert not (tmp_path / "replica.db.damaged").exists()


async def test_the_file_of_an_agent_is_a_copy_without_a_mark(tmp_path: Path) -> None:
    path = tmp_path / "replica.db"
    await copy_at(path)
    (tmp_path / "replica.db-replica").unlink()
    noise(path)
    async with databases.opened_replica(str(path), always_copy=True) as store:
        assert store.revision == 0


async def test_a_copy_in_use_by_another_process_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "replica.db"
    await copy_at(path)
    owner = open_replica(path, always_copy=False)
    with pytest.raises(StoreOwned):
        open_replica(path, always_copy=False)
    await owner.close()


async def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "replica.db"
    with apsw.Connection(str(path)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    with pytest.raises(StoreUnusable, match="another program"):
        open_replica(path, always_copy=True)
    assert [p.name for p in tmp_path.iterdir() if "damaged" in p.name] == []


async def test_damage_detected_in_use_makes_the_next_start_do_a_full_sync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_replica, "_LARGEST_CHECKED", 0)  # as if the file were large
    path = tmp_path / "replica.db"
    await copy_at(path)
    a_page(path)
    store = open_replica(path, always_copy=False)
    with pytest.raises(StoreFailed):
        await store.get(ZONE_ID, ips(1)[0])
    await store.close()
    again = open_replica(path, always_copy=False)
    assert again.revision == 0
    await again.close()
    third = open_replica(path, always_copy=False)
    assert (third.revision, third.writable) == (0, True)
    await third.close()


async def test_damage_detected_while_following_ends_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise it would serve an old state, or keep old files, until an operator notices."""
    monkeypatch.setattr(sqlite_replica, "_LARGEST_CHECKED", 0)
    path, primary = tmp_path / "replica.db", await source()
    store = open_replica(path, always_copy=False)
    await store.load(primary.snapshot())
    await store.close()
    a_page(path)
    store = open_replica(path, always_copy=False)
    await primary.write(ZONE_ID, ips(1), mapping.put(ips(1)[0], US_WEST), CAUSE)
    copy = Replication("http://primary.example", lambda: 0)
    with pytest.raises(StoreFailed, match="malformed") as caught:
        async with asyncio.timeout(10):
            await Follower(store, OfStore(primary), copy).run()
    assert "restart: " in caught.value.hint
    await store.close()
    again = open_replica(path, always_copy=False)
    assert again.revision == 0
    await again.close()

"""Reads from a streaming standby of PostgreSQL."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from originmap.domain.errors import StoreFailed, StoreUnusable
from originmap.domain.history.snapshot import Part
from originmap.store.port import ReadFrom
from originmap.store.postgres.standby import NotServed, PostgresStandby
from originmap.store.postgres.store import PostgresStore, open_postgres
from tests import postgres
from tests.builders import CAUSE, US_EAST, US_WEST, ZONE_ID, ip, new_zone
from tests.postgres import Cluster, Pooler
from tests.store.nodes import delete, put
from tests.waiting import until

OTHER = "e" * 32
LATE = 1 << 40
RESUME, PAUSE = "SELECT pg_wal_replay_resume()", "SELECT pg_wal_replay_pause()"
IN_TRANSACTION = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND state LIKE 'idle in transaction%'"""
SLEEPING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event = 'PgSleep'"""
PAUSED = "SELECT pg_get_wal_replay_pause_state()"


@pytest.fixture
def cluster(replicated: tuple[Cluster, Cluster]) -> Cluster:
    return replicated[0]


@pytest.fixture
def copy(replicated: tuple[Cluster, Cluster]) -> Cluster:
    return replicated[1]


@pytest.fixture(scope="module")
def url(replicated: tuple[Cluster, Cluster]) -> str:
    """A database with two zones, for all tests."""
    url = replicated[0].new_database()
    asyncio.run(create_zones(url))
    return url


async def create_zones(url: str) -> None:
    store = await open_postgres(url)
    await store.write_records(new_zone(), CAUSE)
    await store.write_records(new_zone(OTHER, "other.example"), CAUSE)
    await store.close()


@pytest.fixture
async def store(url: str, copy: Cluster) -> AsyncIterator[PostgresStore]:
    """A node with one mapping that reads from the standby, which has replayed everything."""
    store = await open_postgres(url, read_from=reading(url, copy))
    await put(store, "192.0.2.1")
    await until(lambda: has_everything(store))
    yield store
    copy.sql(RESUME, "postgres")
    await store.close()


@pytest.fixture
def impatient(copy: Cluster) -> Iterator[None]:
    """The standby cancels each query that conflicts with a change to replay at once, and not after
    30 s. Changes of a row conflict with its readers, so other tests could not count reads."""
    set_delay(copy, "SET max_standby_streaming_delay = 0")
    yield
    set_delay(copy, "RESET max_standby_streaming_delay")


def set_delay(copy: Cluster, change: str) -> None:
    copy.sql(f"ALTER SYSTEM {change}", "postgres")
    copy.sql("SELECT pg_reload_conf()", "postgres")


def reading(url: str, copy: Cluster, max_lag: float = 60.0) -> ReadFrom:
    return ReadFrom(copy.url(url.rpartition("/")[2]), max_lag)


def standby_of(store: PostgresStore) -> PostgresStandby:
    assert isinstance(store.standby, PostgresStandby)
    return store.standby


def has_everything(store: PostgresStore) -> bool:
    standby = standby_of(store)
    return standby.serves and standby.revision >= store.revision


def pause(copy: Cluster) -> None:
    copy.sql(PAUSE, "postgres")
    while copy.sql(PAUSED, "postgres") != "paused":
        pass


async def parts_of(store: PostgresStore) -> list[Part]:
    return [part async for part in store.snapshot()]


async def test_every_kind_of_read_is_served_by_the_standby(
    store: PostgresStore, url: str, copy: Cluster
) -> None:
    standby, primary = standby_of(store), await open_postgres(url)
    everything = store.revision
    reads = (
        lambda s: s.get(ZONE_ID, ip("192.0.2.1")),
        lambda s: s.get(ZONE_ID, ip("192.0.2.2")),
        lambda s: s.page(ZONE_ID, 0, 10),
        lambda s: s.page(OTHER, 0, 10),
        lambda s: s.count_places([ZONE_ID, OTHER]),
        lambda s: s.changes(0, 100),
        lambda s: s.changes(0, 100, ZONE_ID),
        lambda s: s.changes(everything, 100),
        lambda s: s.changes_before(LATE, 100),
        lambda s: s.changes_before(LATE, 100, ZONE_ID),
        lambda s: s.changes_before(LATE, 100, ZONE_ID, ip("192.0.2.1")),
        parts_of,
    )
    fallbacks = standby.fallbacks
    for count, read in enumerate(reads, standby.reads + 1):
        assert await read(store) == await read(primary)
        assert (standby.reads, standby.fallbacks) == (count, fallbacks)
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    assert int(copy.sql(sessions, url.rpartition("/")[2])) > 1
    await primary.close()


async def test_a_read_shows_the_writes_that_this_node_has_acknowledged(
    store: PostgresStore, copy: Cluster
) -> None:
    pause(copy)
    standby, reads = standby_of(store), standby_of(store).reads
    written = await put(store, "192.0.2.1", US_WEST)
    assert await store.get(ZONE_ID, ip("192.0.2.1")) == written
    assert (await store.page(ZONE_ID, 0, 10)).mappings == [written]
    assert [count.place for count in await store.count_places([OTHER, ZONE_ID])] == [US_WEST]
    assert (await store.changes(written.revision - 1, 10))[0].revision == written.revision
    assert (await store.changes_before(LATE, 1))[0].revision == written.revision
    assert (await parts_of(store))[0].revision == written.revision  # type: ignore[union-attr]
    assert (await put(store, "192.0.2.1", US_WEST)) == written  # nothing to write
    assert standby.reads == reads
    assert (await store.page(OTHER, 0, 10)).total == 0
    assert (await store.changes(0, written.revision - 1))[0].revision == 1
    assert standby.reads == reads + 2  # another zone, and older changes
    copy.sql(RESUME, "postgres")
    await until(lambda: has_everything(store))
    assert await store.get(ZONE_ID, ip("192.0.2.1")) == written
    assert standby.reads == reads + 3


async def test_reads_and_writes_of_many_clients_never_go_back(store: PostgresStore) -> None:
    standby, reads = standby_of(store), standby_of(store).reads

    async def client(text: str) -> None:
        for n in range(20):
            written = await put(store, text, US_WEST if n % 2 else US_EAST)
            assert await store.get(ZONE_ID, ip(text)) == written
            assert written in (await store.page(ZONE_ID, 0, 100)).mappings
            await store.get(OTHER, ip(text))
        await delete(store, text)
        assert await store.get(ZONE_ID, ip(text)) is None

    await asyncio.gather(*(client(f"192.0.2.{n}") for n in range(10, 18)))
    assert standby.reads > reads


async def test_other_nodes_see_a_write_at_once_if_commits_wait_for_replay(
    store: PostgresStore, url: str, cluster: Cluster
) -> None:
    writer = await open_postgres(url + "?options=-c%20synchronous_commit%3Dremote_apply")
    cluster.sql("ALTER SYSTEM SET synchronous_standby_names = 'standby'", "postgres")
    cluster.sql("SELECT pg_reload_conf()", "postgres")
    try:
        waits = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"
        await until(lambda: cluster.sql(waits, "postgres") == "1")
        reads = standby_of(store).reads
        for n in range(20):
            written = await put(writer, "192.0.2.1", US_WEST if n % 2 else US_EAST)
            assert await store.get(ZONE_ID, ip("192.0.2.1")) == written
        assert standby_of(store).reads == reads + 20
    finally:
        cluster.sql("ALTER SYSTEM RESET synchronous_standby_names", "postgres")
        cluster.sql("SELECT pg_reload_conf()", "postgres")
        await writer.close()


async def test_the_lag_grows_while_replay_is_paused_and_ends_the_reads(
    url: str, store: PostgresStore, copy: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    strict = await open_postgres(url, read_from=reading(url, copy, max_lag=0.7))
    largest_lag = standby_of(store).note()
    assert largest_lag() is None
    await store.get(OTHER, ip("192.0.2.1"))
    first = largest_lag()
    assert first is not None
    pause(copy)
    await put(store, "192.0.2.1", US_WEST)
    await until(lambda: "its lag is more than 0.7 s" in caplog.text)
    assert not standby_of(strict).serves
    fallbacks = standby_of(strict).fallbacks
    assert (await strict.page(OTHER, 0, 10)).total == 0
    assert standby_of(strict).fallbacks == fallbacks + 1
    await until(lambda: standby_of(store).lag > first)
    await store.get(OTHER, ip("192.0.2.1"))
    assert (largest_lag() or 0) > first
    copy.sql(RESUME, "postgres")
    await until(lambda: "the standby serves reads again" in caplog.text)
    await until(lambda: has_everything(strict))
    await strict.close()


@pytest.mark.usefixtures("impatient")
async def test_a_read_that_conflicts_with_recovery_is_served_by_the_primary(
    store: PostgresStore, url: str, copy: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    standby = standby_of(store)
    primary, watch = await asyncpg.connect(url), await asyncpg.connect(reading(url, copy).url)
    slow = "SELECT pg_sleep(1.9)::text FROM (SELECT count(*) FROM mapping) AS m"
    read = asyncio.ensure_future(standby.rows(0, slow))
    while not await watch.fetchval(SLEEPING):
        pass
    await primary.execute("BEGIN; LOCK TABLE mapping; COMMIT")
    with pytest.raises(NotServed):
        await read
    await primary.close()
    await watch.close()
    assert "the standby cancelled a read: canceling statement due to conflict" in caplog.text
    assert standby.serves
    assert (await store.page(ZONE_ID, 0, 10)).total == 1


@pytest.mark.usefixtures("impatient")
async def test_a_snapshot_that_conflicts_with_recovery_fails_and_its_repetition_succeeds(
    store: PostgresStore, url: str, cluster: Cluster, copy: Cluster
) -> None:
    reads = standby_of(store).reads
    snapshot = store.snapshot(history=True)
    await anext(snapshot)
    assert standby_of(store).reads == reads + 1
    database = url.rpartition("/")[2]
    cluster.sql("BEGIN; LOCK TABLE state; COMMIT", database)
    await until(lambda: copy.sql(IN_TRANSACTION, database) == "0")
    with pytest.raises(StoreFailed, match="conflict with recovery"):
        await anext(snapshot)
    assert len(await parts_of(store)) > 1
    assert standby_of(store).reads == reads + 1


async def test_the_standby_is_found_in_a_list_of_servers(
    store: PostgresStore, url: str, cluster: Cluster, copy: Cluster
) -> None:
    servers = reading(url, copy).url.replace("@", f"@{cluster.address},")
    other = await open_postgres(url, read_from=ReadFrom(servers, 60))
    await until(lambda: has_everything(other))
    assert (await other.page(ZONE_ID, 0, 10)).total == 1
    assert standby_of(other).reads == 1
    await other.close()


async def test_sessions_on_the_standby_are_read_only(store: PostgresStore) -> None:
    show = "SELECT current_setting('default_transaction_read_only') AS setting"
    assert await standby_of(store).rows(0, show) == [("on",)]


async def test_reads_go_to_the_primary_while_the_standby_is_away_or_promoted(
    cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    url, own = cluster.new_database(), Cluster(copy_of=cluster)
    own.kill()
    store = await open_postgres(url, read_from=reading(url, own))
    with contextlib.closing(contextlib.ExitStack()) as stack:
        stack.callback(own.remove)
        await store.write_records(new_zone(), CAUSE)
        assert (await store.page(ZONE_ID, 0, 10)).total == 0
        assert caplog.text.count("the primary serves all reads instead of the standby") == 1
        own.start()
        await until(lambda: has_everything(store))
        reads = standby_of(store).reads
        assert (await store.page(ZONE_ID, 0, 10)).total == 0
        assert standby_of(store).reads == reads + 1
        own.hang()
        assert (await store.page(ZONE_ID, 0, 10)).total == 0  # after a timeout
        own.kill()
        await put(store, "192.0.2.1")
        assert (await store.page(ZONE_ID, 0, 10)).total == 1
        own.start()
        await until(lambda: has_everything(store))
        own.promote()
        await until(lambda: not standby_of(store).serves)
        assert (await store.page(ZONE_ID, 0, 10)).total == 1
        assert "it is a primary, not a standby" in caplog.text
        await store.close()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda url: url, "it is the server of --db"),
        (lambda url: url + "?target_session_attrs=primary", "served from a standby"),
        (lambda url: url.replace("@", "@host:no,"), "cannot be read"),
        (lambda url: url + "?sslmode=nothing", "not supported"),
    ],
)
async def test_a_url_that_no_standby_can_have_is_refused_without_its_password(
    url: str, change: object, says: str
) -> None:
    assert callable(change)
    secret = url.replace("originmap@", "originmap:s3cret@")
    with pytest.raises(StoreUnusable, match=says) as caught:
        await open_postgres(url, read_from=ReadFrom(change(secret), 10))
    assert caught.value.hint
    assert "s3cret" not in str(caught.value) + caught.value.hint


async def test_the_primary_under_another_name_serves_no_reads_as_a_standby(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    alias = url.replace("originmap@127.0.0.1", "originmap:s3cret@localhost")
    store = await open_postgres(url, read_from=ReadFrom(alias, 10))
    await put(store, "192.0.2.1")
    assert (await store.page(ZONE_ID, 0, 10)).total == 1
    assert standby_of(store).reads == 0
    assert "it is a primary, not a standby" in caplog.text
    assert "s3cret" not in caplog.text
    await store.close()


async def test_a_user_that_the_standby_refuses_is_an_error_at_the_start(
    url: str, copy: Cluster
) -> None:
    standby = copy.url(url.rpartition("/")[2]).replace("originmap@", "nobody:s3cret@")
    with pytest.raises(StoreUnusable, match='role "nobody" does not exist') as caught:
        await open_postgres(url, read_from=ReadFrom(standby, 10))
    assert "s3cret" not in str(caught.value)


async def test_only_a_pooler_with_sessions_can_be_before_the_standby(
    store: PostgresStore, url: str, copy: Cluster
) -> None:
    if not postgres.has_pooler():
        assert "CI" not in os.environ, postgres.HOW_TO_INSTALL_POOLER
        pytest.skip(postgres.HOW_TO_INSTALL_POOLER)
    for mode in ("transaction", "statement"):
        with Pooler(copy, mode) as pooler:
            read_from = ReadFrom(pooler.url(reading(url, copy).url), 10)
            with pytest.raises(StoreUnusable, match="transaction or statement mode"):
                await open_postgres(url, read_from=read_from)
    with Pooler(copy, "session") as pooler:
        read_from = ReadFrom(pooler.url(reading(url, copy).url), 10)
        pooled = await open_postgres(url, read_from=read_from)
        await until(lambda: has_everything(pooled))
        assert (await pooled.page(ZONE_ID, 0, 10)).total == 1
        assert standby_of(pooled).reads == 1
        await pooled.close()

"""PostgreSQL behind an unmodified PgBouncer, and a server without free connections."""

import asyncio
import os

import asyncpg
import pytest

from originmap.domain.errors import StoreBusy, StoreUnusable
from originmap.store.postgres import pool as postgres_pool
from originmap.store.postgres.store import open_postgres
from tests import postgres
from tests.builders import CAUSE, US_EAST, ZONE_ID, ip, new_zone
from tests.postgres import Cluster, Pooler
from tests.store.nodes import put
from tests.waiting import until


@pytest.fixture
def pooled(cluster: Cluster) -> Cluster:
    """A cluster with PgBouncer; skipped if it is not installed."""
    if not postgres.has_pooler():
        assert "CI" not in os.environ, postgres.HOW_TO_INSTALL_POOLER
        pytest.skip(postgres.HOW_TO_INSTALL_POOLER)
    return cluster


async def test_nodes_work_through_a_pooler_in_session_mode(pooled: Cluster) -> None:
    with Pooler(pooled, "session") as pooler:
        url = pooler.url(pooled.new_database())
        nodes = [await open_postgres(f"{url}?options=-c%20work_mem%3D8MB") for _ in range(2)]
        await nodes[0].write_records(new_zone(), CAUSE)
        written = await put(nodes[1], "192.0.2.1", US_EAST)
        assert await nodes[0].get(ZONE_ID, ip("192.0.2.1")) == written
        async with nodes[0]._readers.pool.acquire() as connection:
            assert await connection.fetchval("SHOW statement_timeout") == "15s"
            assert await connection.fetchval("SHOW enable_seqscan") == "off"
            assert await connection.fetchval("SHOW work_mem") == "8MB"
        for node in nodes:
            await node.close()


async def test_a_node_can_use_the_sessions_that_another_node_has_left(pooled: Cluster) -> None:
    with Pooler(pooled, "session", "default_pool_size = 6") as pooler:
        url = pooler.url(pooled.new_database())
        for n in range(3):
            node = await open_postgres(url)
            if not n:
                await node.write_records(new_zone(), CAUSE)
            written = await put(node, f"192.0.2.{n}", US_EAST)
            assert await node.get(ZONE_ID, ip(f"192.0.2.{n}")) == written
            assert (await node.page(ZONE_ID, 0, 10)).total == n + 1
            await node.close()
        sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        assert int(pooled.sql(sessions, url.rpartition("/")[2])) <= 6 + 1


@pytest.mark.parametrize("mode", ["transaction", "statement"])
@pytest.mark.parametrize("settings", [(), ("server_round_robin = 1",)])
async def test_a_pooler_without_sessions_is_rejected_every_time(
    pooled: Cluster, mode: str, settings: tuple[str, ...]
) -> None:
    with Pooler(pooled, mode, *settings) as pooler:
        url = pooler.url(pooled.new_database())
        for _ in range(5):
            with pytest.raises(StoreUnusable, match="transaction or statement mode") as caught:
                await open_postgres(url)
            assert "pool_mode = session" in caught.value.hint


async def test_a_pooler_without_sessions_is_rejected_under_load(
    pooled: Cluster,
) -> None:
    with Pooler(pooled, "transaction", "default_pool_size = 4") as pooler:
        url = pooler.url(pooled.new_database())
        ended = asyncio.Event()

        async def use() -> None:
            connection = await asyncpg.connect(url)
            while not ended.is_set():
                await connection.execute("SELECT 1")
            connection.terminate()

        others = [asyncio.ensure_future(use()) for _ in range(6)]
        for _ in range(5):
            with pytest.raises(StoreUnusable, match="transaction or statement mode"):
                await open_postgres(url)
        ended.set()
        await asyncio.gather(*others)


async def test_reads_wait_for_existing_connections_if_the_server_has_none_left(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = cluster.new_database()
    store = await open_postgres(url)
    await store.write_records(new_zone(), CAUSE)
    await put(store, "192.0.2.1")
    cluster.sql(f"ALTER DATABASE {url.rpartition('/')[2]} CONNECTION LIMIT 0", "postgres")
    cluster.sql("CREATE ROLE few LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO few",
                url.rpartition("/")[2])  # fmt: skip
    cluster.sql(f"ALTER DATABASE {url.rpartition('/')[2]} CONNECTION LIMIT 0", "postgres")
    few = postgres_pool.Readers(postgres_pool.Servers(url.replace("originmap@", "few@")))
    await few.open()
    monkeypatch.setattr(postgres_pool, "PATIENCE_SECONDS", 0.3)
    with pytest.raises(StoreBusy):
        await few.rows("SELECT 1")
    monkeypatch.undo()
    reading = [asyncio.ensure_future(few.rows("SELECT pg_sleep(0.01)")) for _ in range(40)]
    await asyncio.sleep(0.2)
    assert not any(read.done() for read in reading)
    used = len(cluster.sql(_SESSIONS.format(url.rpartition("/")[2]), "postgres").splitlines())
    cluster.sql(f"ALTER DATABASE {url.rpartition('/')[2]} CONNECTION LIMIT {used + 2}", "postgres")
    await asyncio.gather(*reading)
    await few.close()
    await store.close()


_SESSIONS = "SELECT pid FROM pg_stat_activity WHERE datname = '{}'"


async def test_a_node_that_cannot_open_its_listening_connection_keeps_its_other_ones(
    cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    url = cluster.new_database()
    cluster.sql("CREATE ROLE limited LOGIN; GRANT ALL ON SCHEMA public TO limited",
                url.rpartition("/")[2])  # fmt: skip
    store = await open_postgres(url.replace("originmap@", "limited@"))
    await store.write_records(new_zone(), CAUSE)
    written = await put(store, "192.0.2.1")
    assert await store.get(ZONE_ID, ip("192.0.2.1")) == written
    cluster.sql("ALTER ROLE limited CONNECTION LIMIT 0", "postgres")
    cluster.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        f"WHERE pid = {store._watch._pid}", "postgres",
    )  # fmt: skip
    await until(lambda: not store.writable)
    cluster.sql("ALTER ROLE limited CONNECTION LIMIT -1", "postgres")
    await until(lambda: store.writable)
    assert not [record for record in caplog.records if record.exc_info]
    await store.close()

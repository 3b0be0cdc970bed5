"""The PostgreSQL store: several nodes, one server, and its outages."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import asyncpg
import pytest

from originmap.domain.access.token import Token
from originmap.domain.errors import (
    StoreFailed,
    StoreUnusable,
    TooManyMappings,
    ZoneExists,
    ZoneNotFound,
)
from originmap.domain.history.record import Key, Kind, RecordChange, RecordDecide, RecordDecision
from originmap.domain.history.snapshot import SnapshotStart
from originmap.domain.mapping import mapping
from originmap.domain.zone.rules import create_zone
from originmap.domain.zone.zone import Account
from originmap.store.memory import MemoryStore
from originmap.store.port import RecordListener
from originmap.store.postgres.schema import NODES
from originmap.store.postgres.store import PostgresStore, open_postgres
from originmap.store.postgres.url import redacted
from originmap.store.postgres.view import KnownState
from originmap.store.postgres.watch import LIVE
from originmap.store.records import encode
from tests.builders import CAUSE, US_EAST, US_WEST, ZONE_ID, ip, ips, new_zone, remove_zone, zone
from tests.builders import token as new_token
from tests.postgres import Cluster
from tests.store.nodes import put, until

OTHER_ID = "f" * 32
_END = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = 'originmap' AND datname = """


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    """A server that the test may stop."""
    server = Cluster()
    yield server
    server.remove()


def _add(token: Token) -> RecordDecide[None]:
    change = RecordChange(Key(Kind.TOKEN, token.id), None, token)
    return lambda records: RecordDecision((change,), None)


def _remove(token: Token) -> RecordDecide[None]:
    change = RecordChange(Key(Kind.TOKEN, token.id), token, None)
    return lambda records: RecordDecision((change,), None)


async def test_everything_is_persistent(url: str) -> None:
    first = await open_postgres(url)
    await first.write_records(new_zone(), CAUSE)
    written = await put(first, "192.0.2.1")
    await first.close()
    second = await open_postgres(url, now=lambda: 5)  # a clock far in the past
    assert await second.get(ZONE_ID, ip("192.0.2.1")) == written
    assert (second.revision, second.epoch) == (2, first.epoch)
    changed = await put(second, "192.0.2.1", US_WEST)
    assert (changed.revision, changed.modified_on) == (3, written.modified_on + 1)
    await second.close()


async def test_all_nodes_read_the_writes_of_one_node(nodes: list[PostgresStore]) -> None:
    written = await put(nodes[1], "192.0.2.1")
    assert [await node.get(ZONE_ID, ip("192.0.2.1")) for node in nodes] == [written] * 3
    await until(lambda: {node.revision for node in nodes} == {2})


async def test_the_limit_of_mappings_is_exact_across_nodes(nodes: list[PostgresStore]) -> None:
    addresses = ips(mapping.MAX_MAPPINGS - 5)
    for start in range(0, len(addresses), 500):
        puts = (_fill(nodes[0], a) for a in addresses[start : start + 500])
        await asyncio.gather(*puts)
    racers = [put(nodes[n % 3], f"192.0.2.{n}") for n in range(96)]
    results: list[Any] = await asyncio.gather(*racers, return_exceptions=True)
    refused = [r for r in results if isinstance(r, BaseException)]
    assert len(refused) == 91
    assert all(isinstance(r, TooManyMappings) for r in refused)
    assert (await nodes[2].page(ZONE_ID, 0, 1)).total == mapping.MAX_MAPPINGS


async def _fill(store: PostgresStore, address: Any) -> None:
    await store.write(ZONE_ID, (address,), mapping.put(address, US_EAST), CAUSE)


async def test_revisions_become_visible_in_order(nodes: list[PostgresStore]) -> None:
    seen: list[int] = []
    ended = asyncio.Event()

    async def read() -> None:
        while not ended.is_set() or await nodes[2].changes(len(seen), 1):
            seen.extend(change.revision for change in await nodes[2].changes(len(seen), 100))

    async def write(node: PostgresStore, writer: int) -> None:
        for n in range(25):
            await put(node, f"192.0.2.{writer}", (US_EAST, US_WEST)[n % 2])

    reader = asyncio.ensure_future(read())
    await asyncio.gather(*(write(nodes[n % 3], n) for n in range(32)))
    ended.set()
    await reader
    assert seen == list(range(1, 1 + 32 * 25 + 1))


async def test_times_grow_with_revisions_across_nodes(nodes: list[PostgresStore]) -> None:
    await asyncio.gather(*(put(nodes[n % 3], f"192.0.2.{n}") for n in range(60)))
    times = [change.at for change in await nodes[0].changes(0, 100)]
    assert times == sorted(set(times))


async def test_concurrent_writes_of_two_zones_on_two_nodes_do_not_deadlock(
    nodes: list[PostgresStore],
) -> None:
    await nodes[0].write_records(new_zone(OTHER_ID, "example.org"), CAUSE)

    async def put(node: PostgresStore, zone_id: str, text: str) -> None:
        await node.write(zone_id, (ip(text),), mapping.put(ip(text), US_EAST), CAUSE)

    for n in range(20):
        one, two = (ZONE_ID, OTHER_ID)[:: 1 if n % 2 else -1]
        await asyncio.gather(
            *(put(node, z, f"10.{n}.{i}.1") for i, node in enumerate(nodes) for z in (one, two))
        )
    assert (await nodes[0].page(OTHER_ID, 0, 1)).total == 60


async def test_a_change_of_a_record_reaches_all_nodes(nodes: list[PostgresStore]) -> None:
    heard: list[RecordChange] = []
    nodes[2].follow_records(heard.extend)
    token = new_token("one")
    await nodes[0].write_records(_add(token), CAUSE)
    await until(lambda: heard[-1].after == token)
    await nodes[1].write_records(_remove(token), CAUSE)  # it has read the change, or does so now
    await until(lambda: heard[-1].after is None)
    assert len(heard) == 3


async def test_every_node_has_a_record_once_its_change_is_acknowledged(
    nodes: list[PostgresStore],
) -> None:
    known: list[set[str]] = [set(), set(), set()]
    for node, ids in zip(nodes, known, strict=True):
        node.follow_records(_following(ids))
    for n in range(40):
        token = new_token(f"token{n}")
        await nodes[n % 3].write_records(_add(token), CAUSE)
        assert all(token.id in ids for ids in known)
        await nodes[(n + 1) % 3].write_records(_remove(token), CAUSE)
        assert not any(token.id in ids for ids in known)


def _following(ids: set[str]) -> RecordListener:
    def follow(changes: Sequence[RecordChange]) -> None:
        for change in changes:
            (ids.discard if change.after is None else ids.add)(change.key.id)

    return follow


async def test_a_change_of_a_record_does_not_wait_for_a_stopped_node(
    nodes: list[PostgresStore], url: str, caplog: pytest.LogCaptureFixture
) -> None:
    await nodes[2].close()
    gone = await asyncpg.connect(url)
    await gone.execute(f"SELECT pg_advisory_lock_shared({NODES})")  # it does not listen either
    writing = asyncio.ensure_future(nodes[0].write_records(_add(new_token("one")), CAUSE))
    await until(lambda: nodes[1].revision == 2)
    gone.terminate()
    await writing
    assert not caplog.records


async def test_a_change_of_a_record_does_not_wait_for_a_hanging_command(
    nodes: list[PostgresStore], url: str, cluster: Cluster
) -> None:
    command = await open_postgres(url, serves=False)
    await command.write_records(_add(new_token("one")), CAUSE)
    assert {node.revision for node in nodes} == {2}
    assert len(cluster.sql(LIVE, url.rpartition("/")[2]).splitlines()) == len(nodes)
    await command.close()


async def test_a_change_of_a_record_waits_for_a_silent_node_up_to_a_logged_timeout(
    nodes: list[PostgresStore], url: str, caplog: pytest.LogCaptureFixture
) -> None:
    silent = await asyncpg.connect(url)
    await silent.execute(f"SELECT pg_advisory_lock_shared({NODES})")
    await nodes[0].write_records(_add(new_token("one")), CAUSE)
    assert str(silent.get_server_pid()) in caplog.text
    await silent.close()


async def test_a_node_that_loses_its_connections_under_load_logs_no_traceback(
    nodes: list[PostgresStore], cluster: Cluster, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    ended = asyncio.Event()

    async def write(node: PostgresStore, text: str) -> None:
        while not ended.is_set():
            with contextlib.suppress(StoreFailed):
                await put(node, text, US_WEST)
                await put(node, text)

    writers = [asyncio.ensure_future(write(n, f"192.0.2.{i}")) for i, n in enumerate(nodes)]
    for _ in range(10):
        await asyncio.to_thread(cluster.sql, _END + f"'{url.rpartition('/')[2]}'", "postgres")
        await asyncio.sleep(0.05)
    ended.set()
    await asyncio.gather(*writers)
    assert not [record for record in caplog.records if record.exc_info]


async def test_a_notification_after_the_end_of_its_connection_is_ignored(
    nodes: list[PostgresStore], url: str
) -> None:
    gone = await asyncpg.connect(url)
    gone.terminate()
    nodes[0]._watch._on_notify(gone, 1, "originmap", "")


async def test_a_change_of_a_record_is_read_without_a_notification(
    nodes: list[PostgresStore], url: str
) -> None:
    heard: list[RecordChange] = []
    nodes[0].follow_records(heard.extend)
    token = new_token("one")
    writer = await asyncpg.connect(url)
    async with writer.transaction():  # a commit of another node whose notification is lost
        await writer.execute(
            "INSERT INTO change (zone_id, revision, at, credential, client, request, kind, id, "
            "new_body) VALUES ('', 2, 1, '', '', '', 'token', $1, $2)",
            *(token.id, encode(token)),
        )
        await writer.execute("UPDATE state SET revision = 2")
    await writer.close()
    await until(lambda: heard[-1].after == token)
    assert nodes[0].revision == 2


async def test_a_rule_sees_the_commits_of_other_nodes(nodes: list[PostgresStore]) -> None:
    account = Account("account", "A", 1)
    made = RecordChange(Key(Kind.ACCOUNT, account.id), None, account)
    await nodes[0].write_records(lambda records: RecordDecision((made,), None), CAUSE)
    results: list[Any] = await asyncio.gather(
        *(
            node.write_records(create_zone(zone(str(n) * 32, "example.net")), CAUSE)
            for n, node in enumerate(nodes)
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(result, ZoneExists) for result in results) == 2


async def test_a_zone_deleted_on_another_node_accepts_no_mapping(
    nodes: list[PostgresStore],
) -> None:
    await put(nodes[1], "192.0.2.1")
    await nodes[0].write_records(remove_zone(), CAUSE)
    with pytest.raises(ZoneNotFound):
        await put(nodes[1], "192.0.2.2")


async def test_a_database_loaded_on_one_node_reaches_the_other_nodes(
    nodes: list[PostgresStore], cluster: Cluster
) -> None:
    source = await open_postgres(cluster.new_database())
    await source.write_records(new_zone(OTHER_ID, "example.org"), CAUSE)
    heard: list[RecordChange] = []
    nodes[1].follow_records(heard.extend)
    await nodes[0].load(source.snapshot())
    await until(lambda: nodes[1].epoch == source.epoch)
    assert heard[-1].after == zone(OTHER_ID, "example.org")
    assert nodes[1].is_replica
    await source.close()


async def test_a_node_that_slept_beyond_the_history_reads_every_record(
    nodes: list[PostgresStore], url: str
) -> None:
    connection = await asyncpg.connect(url)
    sleeper = KnownState()
    await sleeper.look(connection)
    await nodes[0].write_records(new_zone(OTHER_ID, "example.org"), CAUSE)
    await nodes[0].write_records(remove_zone(), CAUSE)
    await nodes[0].forget(10, 10)
    await sleeper.look(connection)
    assert dict(sleeper.records.view) == {Key(Kind.ZONE, OTHER_ID): zone(OTHER_ID, "example.org")}
    await connection.close()


async def test_processes_that_start_at_once_create_one_database(url: str) -> None:
    stores = await asyncio.gather(*(open_postgres(url) for _ in range(6)))
    assert len({store.epoch for store in stores}) == 1
    for store in stores:
        await store.close()


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("CREATE TABLE theirs (x integer)", "another program"),
        (
            "CREATE TABLE originmap (one boolean, version integer);"
            "INSERT INTO originmap VALUES (true, 999)",
            "version 999",
        ),
    ],
)
async def test_an_unusable_database_is_rejected_unchanged(
    cluster: Cluster, url: str, statement: str, says: str
) -> None:
    name = url.rpartition("/")[2]
    cluster.sql(statement, name)
    tables = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    before = cluster.sql(tables, name)
    with pytest.raises(StoreUnusable, match=says) as caught:
        await open_postgres(url)
    assert caught.value.hint
    assert cluster.sql(tables, name) == before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda url: url.rpartition("/")[0] + "/nothing", "does not exist"),
        (lambda url: "postgresql://originmap:s3cret@127.0.0.1:1/x", "refused|connect"),
        (lambda url: "postgresql://originmap:s3cret@host:no/x", "cannot be read"),
        (lambda url: url.replace("originmap@", "somebody:s3cret@"), "somebody"),
    ],
)
async def test_an_unusable_server_is_named_without_its_password(
    url: str, change: Callable[[str], str], says: str
) -> None:
    with pytest.raises(StoreUnusable, match=says) as caught:
        await open_postgres(change(url))
    assert caught.value.hint
    assert "s3cret" not in str(caught.value) + caught.value.hint


@pytest.mark.parametrize("options", ["project=a", "-c nothing=1", "-c port=1"])
async def test_options_that_the_server_rejects_are_named_in_the_hint(
    url: str, options: str
) -> None:
    with pytest.raises(StoreUnusable) as caught:
        await open_postgres(url, environment={"PGOPTIONS": options})
    assert "\n" not in str(caught.value)
    assert "PGOPTIONS" in caught.value.hint


@pytest.mark.parametrize(
    ("db", "shown"),
    [
        ("/var/lib/a.db", "/var/lib/a.db"),
        ("postgresql://host/db", "postgresql://host/db"),
        ("postgresql://me@host/db", "postgresql://me@host/db"),
        ("postgresql://me:pw@a:1,b:2/db?x=1", "postgresql://me:***@a:1,b:2/db?x=1"),
        ("postgres://me:p@w/o?r#d@host/db", "postgres://me:***@host/db"),
        ("postgresql://h/db?password=pw&x=1", "postgresql://h/db?password=***&x=1"),
    ],
)
def test_a_password_is_redacted(db: str, shown: str) -> None:
    assert redacted(db) == shown


async def test_a_store_recovers_after_an_outage_of_the_server(own_cluster: Cluster) -> None:
    store = await open_postgres(own_cluster.new_database())
    await store.write_records(new_zone(), CAUSE)
    written = await put(store, "192.0.2.1")
    own_cluster.stop()
    await until(lambda: not store.writable)
    with pytest.raises(StoreFailed):
        await put(store, "192.0.2.2")
    with pytest.raises(StoreFailed):
        await store.get(ZONE_ID, ip("192.0.2.1"))
    own_cluster.start()
    await until(lambda: store.writable)
    assert await store.get(ZONE_ID, ip("192.0.2.1")) == written
    assert (await put(store, "192.0.2.2")).revision == written.revision + 1
    await store.close()


async def test_lost_connections_are_reopened_without_errors(
    nodes: list[PostgresStore], cluster: Cluster, url: str
) -> None:
    await put(nodes[0], "192.0.2.1")
    await nodes[0].get(ZONE_ID, ip("192.0.2.1"))
    cluster.sql(
        _END + f"'{url.rpartition('/')[2]}'",
        "postgres",
    )
    written = await put(nodes[0], "192.0.2.1", US_WEST)
    assert await nodes[0].get(ZONE_ID, ip("192.0.2.1")) == written
    heard: list[RecordChange] = []
    nodes[0].follow_records(heard.extend)
    await nodes[1].write_records(_add(new_token("one")), CAUSE)
    await until(lambda: heard[-1].key.kind is Kind.TOKEN)


async def test_a_node_that_hangs_in_a_commit_does_not_block_other_nodes(
    nodes: list[PostgresStore], url: str
) -> None:
    frozen = await asyncpg.connect(url, server_settings={
        "idle_in_transaction_session_timeout": "200ms"})  # fmt: skip
    await frozen.execute("BEGIN")
    await frozen.execute("SELECT FROM state FOR UPDATE")
    written = await put(nodes[0], "192.0.2.1")
    assert await nodes[1].get(ZONE_ID, ip("192.0.2.1")) == written
    with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError):
        await frozen.close()


def test_the_driver_is_imported_only_if_needed() -> None:
    program = "import sys, originmap.bootstrap; sys.exit('asyncpg' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


async def test_the_next_server_is_tried_if_one_does_not_respond(
    own_cluster: Cluster, cluster: Cluster
) -> None:
    own_cluster.hang()
    url = cluster.new_database().replace("@", f"@{own_cluster.address},")
    store = await open_postgres(url)
    await store.write_records(new_zone(), CAUSE)
    await put(store, "192.0.2.1")
    await store.close()


async def test_a_read_of_changes_notes_trimming_by_another_node(
    nodes: list[PostgresStore],
) -> None:
    for n in range(5):
        await put(nodes[0], f"192.0.2.{n}")
    await nodes[0].forget(3, 10)
    changes = await nodes[1].changes(1, 10)
    assert changes[0].revision == nodes[1].oldest + 1 == 4
    assert await nodes[2].changes(2, 10, "no such zone") == []
    assert nodes[2].oldest == 3


async def test_a_read_of_changes_notes_the_revision_of_another_node(
    nodes: list[PostgresStore],
) -> None:
    for n in range(20):
        await put(nodes[0], f"192.0.2.{n}")
        for node, of_zone in ((nodes[1], None), (nodes[2], "no such zone")):
            await node.changes(0, 100, of_zone)
            assert node.revision == nodes[0].revision


async def test_a_read_of_mappings_or_a_snapshot_notes_the_revision_of_another_node(
    nodes: list[PostgresStore],
) -> None:
    for n in range(10):
        await put(nodes[0], f"192.0.2.{n}")
        page = await nodes[1].page(ZONE_ID, 0, 100)
        assert (page.revision, page.total) == (nodes[0].revision, n + 1)
        assert nodes[1].revision == page.revision
        async with contextlib.aclosing(nodes[2].snapshot()) as parts:  # type: ignore[type-var]
            start = await anext(parts)
        assert isinstance(start, SnapshotStart)
        assert nodes[2].revision == start.revision == nodes[0].revision


async def test_a_read_of_changes_notes_that_the_database_was_replaced(
    nodes: list[PostgresStore],
) -> None:
    source = MemoryStore()
    await source.write_records(new_zone(OTHER_ID, "example.org"), CAUSE)
    await nodes[0].load(source.snapshot(history=True))
    assert len(await nodes[1].changes(0, 10)) == 1
    assert nodes[1].epoch == source.epoch

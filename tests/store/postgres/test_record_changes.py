"""Changes of records on several nodes of one database."""

import asyncio
from collections.abc import Sequence

import asyncpg
import pytest

from originmap.domain.access.token import Token
from originmap.domain.history.record import Key, Kind, RecordChange, RecordDecide, RecordDecision
from originmap.store.port import RecordListener
from originmap.store.postgres.schema import NODES
from originmap.store.postgres.store import PostgresStore, open_postgres
from originmap.store.postgres.view import KnownState
from originmap.store.postgres.watch import LIVE
from originmap.store.records import encode
from tests.builders import CAUSE, US_WEST, ZONE_ID, ip, new_zone, remove_zone, zone
from tests.builders import token as new_token
from tests.postgres import Cluster
from tests.store.copies import OTHER_ID
from tests.store.nodes import END_CONNECTIONS, put
from tests.waiting import until


def _add(token: Token) -> RecordDecide[None]:
    change = RecordChange(Key(Kind.TOKEN, token.id), None, token)
    return lambda records: RecordDecision((change,), None)


def _remove(token: Token) -> RecordDecide[None]:
    change = RecordChange(Key(Kind.TOKEN, token.id), token, None)
    return lambda records: RecordDecision((change,), None)


async def test_a_change_of_a_record_reaches_all_nodes(nodes: list[PostgresStore]) -> None:
    heard: list[RecordChange] = []
    nodes[2].follow_records(heard.extend)
    token = new_token("one")
    await nodes[0].write_records(_add(token), CAUSE)
    await until(lambda: heard[-1].after == token)
    await nodes[1].write_records(_remove(token), CAUSE)  # it has read the change, or reads it now
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


async def test_lost_connections_are_reopened_without_errors(
    nodes: list[PostgresStore], cluster: Cluster, url: str
) -> None:
    await put(nodes[0], "192.0.2.1")
    await nodes[0].get(ZONE_ID, ip("192.0.2.1"))
    cluster.sql(
        END_CONNECTIONS + f"'{url.rpartition('/')[2]}'",
        "postgres",
    )
    written = await put(nodes[0], "192.0.2.1", US_WEST)
    assert await nodes[0].get(ZONE_ID, ip("192.0.2.1")) == written
    heard: list[RecordChange] = []
    nodes[0].follow_records(heard.extend)
    await nodes[1].write_records(_add(new_token("one")), CAUSE)
    await until(lambda: heard[-1].key.kind is Kind.TOKEN)

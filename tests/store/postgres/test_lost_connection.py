"""Writes to a PostgreSQL database whose connection is lost in the middle."""

import asyncio
from collections.abc import AsyncIterator
from typing import NamedTuple
from urllib.parse import urlsplit

import asyncpg
import pytest

from originmap.domain.errors import StoreFailed
from originmap.domain.history.change import Committed
from originmap.domain.history.record import RecordDecide
from originmap.domain.mapping.mapping import Mapping
from originmap.store.postgres.commit import _Attempt, _was_committed
from originmap.store.postgres.mapping_cache import Counter
from originmap.store.postgres.store import PostgresStore, open_postgres
from tests.builders import CAUSE, ZONE_ID, ip, new_zone, remove_zone
from tests.real.proxy import Proxy
from tests.store.nodes import delete, put
from tests.waiting import until


class Cuttable(NamedTuple):
    """A node, and the network between it and the server."""

    store: PostgresStore
    network: Proxy

    def delete(self, text: str) -> asyncio.Task[Committed[Mapping]]:
        return asyncio.get_running_loop().create_task(delete(self.store, text))

    async def delete_without_response(
        self, text: str, other: PostgresStore
    ) -> tuple[Mapping, asyncio.Task[Committed[Mapping]]]:
        """Create a mapping and start its deletion, which commits, as `other` sees, and whose
        response is lost."""
        written = await put(self.store, text)
        self.network.mute = True
        deletion = self.delete(text)
        await until(lambda: other.revision > written.revision)
        return written, deletion

    def cut(self) -> None:
        self.network.cut()
        self.network.mute = self.network.silent = False


@pytest.fixture
async def cuttable(nodes: list[PostgresStore], url: str) -> AsyncIterator[Cuttable]:
    """A fourth node."""
    parts = urlsplit(url)
    async with Proxy(f"http://{parts.hostname}:{parts.port}") as network:
        through = url.replace(f":{parts.port}", f":{urlsplit(network.url).port}")
        cuttable = Cuttable(await open_postgres(through), network)
        yield cuttable
        cuttable.cut()
        await cuttable.store.close()


async def test_a_write_whose_response_is_lost_is_committed_once(
    nodes: list[PostgresStore], cuttable: Cuttable
) -> None:
    written, deletion = await cuttable.delete_without_response("192.0.2.1", nodes[0])
    await put(nodes[0], "192.0.2.2")
    cuttable.cut()
    done = await deletion
    assert (done.outcome, done.revision) == (written, written.revision + 1)
    assert (await put(cuttable.store, "192.0.2.3")).revision == written.revision + 3


async def test_a_write_is_committed_once_if_the_check_of_its_outcome_is_lost_too(
    nodes: list[PostgresStore], cuttable: Cuttable
) -> None:
    written, deletion = await cuttable.delete_without_response("192.0.2.1", nodes[0])
    cuttable.network.hold = b"ROLLBACK"  # the end of the transaction that checked
    cuttable.cut()
    await until(lambda: cuttable.network.held)
    cuttable.network.hold = None
    cuttable.cut()
    done = await deletion
    assert (done.outcome, done.revision) == (written, written.revision + 1)
    assert nodes[0].revision == written.revision + 1


@pytest.mark.parametrize("rule", [remove_zone(), new_zone("other", "other.example")])
async def test_a_record_whose_response_is_lost_is_written_once(
    nodes: list[PostgresStore], cuttable: Cuttable, rule: RecordDecide[None]
) -> None:
    written = await put(nodes[0], "192.0.2.1")
    cuttable.network.hold = b"COMMIT"
    writing = asyncio.ensure_future(cuttable.store.write_records(rule, CAUSE))
    await until(lambda: cuttable.network.held)
    cuttable.network.mute, cuttable.network.hold = True, None
    await until(lambda: nodes[0].revision > written.revision)
    reached = nodes[0].revision
    cuttable.cut()
    assert (await writing).revision == written.revision + 1
    again = await cuttable.store.write_records(new_zone("third", "third.example"), CAUSE)
    assert again.revision == reached + 1


async def test_a_write_that_is_lost_before_the_server_is_retried(
    nodes: list[PostgresStore], cuttable: Cuttable
) -> None:
    written = await put(cuttable.store, "192.0.2.1")
    cuttable.network.silent = True
    deletion = cuttable.delete("192.0.2.1")
    await asyncio.sleep(0.1)
    other = await put(nodes[0], "192.0.2.2")
    cuttable.cut()
    done = await deletion
    assert (done.outcome, done.revision) == (written, other.revision + 1)


async def test_a_write_fails_if_its_outcome_is_no_longer_in_the_history(
    nodes: list[PostgresStore], cuttable: Cuttable
) -> None:
    _, deletion = await cuttable.delete_without_response("192.0.2.1", nodes[0])
    last = await put(nodes[0], "192.0.2.2")
    await nodes[0].forget(last.revision - 1, 1_000)
    cuttable.cut()
    with pytest.raises(StoreFailed, match="the history does not go back"):
        await deletion
    assert await nodes[0].get(ZONE_ID, ip("192.0.2.1")) is None


async def test_the_committed_one_of_several_uncertain_attempts_is_detected(
    nodes: list[PostgresStore], url: str
) -> None:
    """The second attempt was rolled back, and the first one, delayed in the network, is committed
    after it."""
    revision = (await put(nodes[0], "192.0.2.1")).revision
    connection = await asyncpg.connect(url)
    try:
        at, request = await connection.fetchrow(
            "SELECT at, request FROM change WHERE revision = $1", revision
        )
        made, undone = (revision, at, request), (revision, at + 1, request)
        first = _Attempt([], mark=made)
        third = _Attempt([], _Attempt([], first, mark=undone))
        counter = Counter("epoch", revision, at)
        assert await _was_committed(connection, third, counter)
        assert third.settled is first.settled
        assert not await _was_committed(
            connection, _Attempt([], _Attempt([], mark=undone)), counter
        )
    finally:
        await connection.close()

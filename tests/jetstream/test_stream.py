"""Publishing to a stream of a real NATS server, and following it."""

import asyncio
import contextlib
from pathlib import Path

import msgspec
import pytest
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from originmap.domain.errors import PrimaryGone
from originmap.domain.history.snapshot import start_of
from originmap.jetstream.connection import NatsAccess, connected
from originmap.jetstream.messages import stored_subjects
from originmap.jetstream.publisher import StreamLimits
from originmap.jetstream.stream import ChangeStream, Position
from originmap.service.feed.feed import Point
from originmap.service.feed.followers import Report
from originmap.store.memory import MemoryStore
from tests.builders import US_EAST, US_WEST, ZONE_ID
from tests.jetstream.broker import Broker
from tests.jetstream.primary import Node, Primary, access_to, following, gaps, publishing, stored
from tests.waiting import until

OTHER_ZONE = "f" * 32


async def everything(store: MemoryStore) -> list[object]:
    return [part async for part in store.snapshot()]


async def test_a_node_gets_a_snapshot_and_then_each_change(
    primary: Primary, access: NatsAccess
) -> None:
    await primary.put("192.0.2.1")
    async with publishing(primary, access), following(access) as node:
        await until(lambda: node.store.revision == primary.store.revision)
        for n in range(2, 20):
            await primary.put(f"192.0.2.{n}")
            await until(lambda: node.store.revision == primary.store.revision)
        await until(lambda: node.replication.age < 5)
        assert node.replication.connected
        assert await everything(node.store) == await everything(primary.store)
        assert await node.store.changes(2, 100) == await primary.store.changes(2, 100)
        assert await node.source.digest() is not None
        assert await node.comparison.differs() == ""
    assert primary.snapshots == 1


async def test_a_stream_has_more_nodes_than_nats_allows_by_default(access: NatsAccess) -> None:
    async with connected(access, "test") as connection:
        await ChangeStream(connection, access.url.stream).prepare(100, 1)
        new = ConsumerConfig(
            deliver_policy=DeliverPolicy.NEW, ack_policy=AckPolicy.NONE, mem_storage=True
        )
        for _ in range(1_001):
            await connection.streams.add_consumer(access.url.stream, new)


async def test_a_stream_has_as_many_nodes_as_the_account_allows(tmp_path: Path) -> None:
    account = (
        "accounts { A { jetstream: { max_consumers: 10 }, users: [{ user: u, password: p }] } }"
    )
    with Broker(tmp_path, f"jetstream {{}}\nno_auth_user: u\n{account}") as broker:
        access = access_to(broker.address, "STREAM")
        async with connected(access, "test") as connection:
            await ChangeStream(connection, access.url.stream).prepare(100, 1)
            found = await connection.streams.stream_info(access.url.stream)
    assert found.config.max_consumers == -1  # the account's limit holds


async def test_each_message_has_the_subject_of_its_zone_and_an_id_of_epoch_and_revision(
    primary: Primary, access: NatsAccess
) -> None:
    stream = access.url.stream
    async with publishing(primary, access), following(access) as node:
        await until(lambda: node.store.is_replica)
        await primary.put("192.0.2.1")
        await until(lambda: node.store.revision == primary.store.revision)
    (start, headers, first), (subject, headers_of_change, change) = await stored(access)
    assert (start, first.reset, headers.get("Nats-Msg-Id")) == (f"{stream}.start", True, None)
    assert subject == f"{stream}.zone.{ZONE_ID}"
    assert headers_of_change["Nats-Msg-Id"] == f"{primary.store.epoch}-{change.revision}"


async def test_a_publisher_continues_after_the_last_message(
    primary: Primary, access: NatsAccess
) -> None:
    async with following(access) as node:
        for n in range(1, 6):
            async with publishing(primary, access):
                await primary.put(f"192.0.2.{n}")
                await until(lambda: node.store.revision == primary.store.revision)
            await primary.put(f"198.51.100.{n}")  # while no publisher runs
    found = [message for _, _, message in await stored(access)]
    assert gaps(iter(found)) == []
    assert [message.reset for message in found].count(True) == 1


async def test_two_publishers_do_not_interleave(primary: Primary, access: NatsAccess) -> None:
    async with publishing(primary, access), publishing(primary, access), following(access) as node:
        for n in range(100):
            await primary.put(f"10.0.0.{n}")
            await asyncio.sleep(0.005)
        await until(lambda: node.store.revision == primary.store.revision)
    found = [message for _, _, message in await stored(access)]
    assert gaps(iter(found)) == []
    assert await everything(node.store) == await everything(primary.store)


async def test_a_node_that_is_too_far_behind_does_a_full_sync(
    primary: Primary, access: NatsAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("originmap.jetstream.publisher.LOOK_SECONDS", 0.1)
    limits = StreamLimits(messages=10, replicas=1)
    async with publishing(primary, access, limits):
        async with following(access) as node:
            await until(lambda: node.store.revision == primary.store.revision)
        async with following(access) as current:
            for n in range(30):
                await primary.put("192.0.2.1", (US_EAST, US_WEST)[n % 2])
                await until(lambda: current.store.revision == primary.store.revision)
        await until(lambda: primary.snapshots > 1)
        async with following(access, node.store) as later:
            await until(lambda: later.store.revision == primary.store.revision)
    assert len(await stored(access)) == 10
    assert later.store.oldest > 2  # its history begins with the snapshot
    assert await everything(later.store) == await everything(primary.store)


async def test_another_database_starts_the_stream_over(
    primary: Primary, access: NatsAccess
) -> None:
    async with following(access) as node:
        async with publishing(primary, access):
            await until(lambda: node.store.revision == primary.store.revision)
        other = Primary()
        await other.furnish()
        await other.put("203.0.113.1")
        async with publishing(other, access):
            await until(lambda: node.store.epoch == other.store.epoch)
            await other.put("203.0.113.2")
            await until(lambda: node.store.revision == other.store.revision)
    assert await everything(node.store) == await everything(other.store)
    assert {message.epoch for _, _, message in await stored(access)} == {other.store.epoch}


async def test_a_restored_primary_starts_the_stream_over(
    primary: Primary, access: NatsAccess
) -> None:
    """The backup has the epoch of the database, and then other changes with the same revisions."""
    backup = MemoryStore()
    await backup.load(primary.store.snapshot())
    async with following(access) as node:
        async with publishing(primary, access):
            await until(lambda: node.store.revision == primary.store.revision)
            await primary.put("192.0.2.1")
            await until(lambda: node.store.revision == primary.store.revision)
        restored = Primary(backup)
        await restored.put("198.51.100.1")
        await restored.put("198.51.100.2")
        async with publishing(restored, access):
            await until(lambda: node.store.revision == restored.store.revision)
            await until(lambda: restored.snapshots == 1)
    assert await everything(node.store) == await everything(restored.store)


async def test_a_primary_restored_between_two_requests_starts_the_stream_over(
    primary: Primary, access: NatsAccess
) -> None:
    restored = Primary(MemoryStore())
    await restored.store.load(primary.store.snapshot())
    await restored.put("198.51.100.1")
    async with publishing(primary, access), following(access) as node:
        await until(lambda: node.store.is_replica)
        await primary.put("192.0.2.1")
        await until(lambda: node.store.revision == restored.store.revision)
        primary.store, primary.feed = restored.store, restored.feed
        await until(lambda: primary.snapshots == 2)
        await primary.put("198.51.100.2")
        await until(lambda: node.store.revision == primary.store.revision)
        assert await everything(node.store) == await everything(primary.store)


async def test_each_read_of_a_stream_has_the_time_of_the_change_before_it(
    primary: Primary, access: NatsAccess
) -> None:
    async with publishing(primary, access), following(access) as node:
        await until(lambda: node.store.is_replica)
        await primary.put_many(f"192.0.2.{n}" for n in range(1, 10))
        await until(lambda: node.store.revision == primary.store.revision)
        await primary.put("192.0.2.1", US_WEST)
        await until(lambda: node.store.revision == primary.store.revision)
    found = [message for _, _, message in await stored(access)]
    assert max(message.revision - message.since for message in found) == 9
    async with Node(access).source as source:
        for limit in (1, 4):
            for change in await primary.store.changes(0, 100):
                delta = await source.changes(Point("", change.revision), limit, 0)
                assert delta.follows(change.at)
                assert not delta.follows(change.at + 1)


async def test_a_healthy_node_does_no_full_sync(
    primary: Primary, access: NatsAccess, caplog: pytest.LogCaptureFixture
) -> None:
    async with publishing(primary, access), following(access) as node:
        await until(lambda: node.store.is_replica)
        for n in range(5):
            await primary.put(f"192.0.2.{n}")
            await until(lambda: node.store.revision == primary.store.revision)
    assert "full sync" not in [record.message for record in caplog.records]


async def test_a_stream_that_starts_over_while_a_node_looks_for_its_place(
    primary: Primary, access: NatsAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with publishing(primary, access), following(access) as node:
        await until(lambda: node.store.is_replica)
        await primary.put("192.0.2.1")
        await until(lambda: node.store.revision == primary.store.revision)
    point = Point(primary.store.epoch, primary.store.revision)
    await primary.put("192.0.2.2")
    await primary.put("192.0.2.3")
    look, looks = ChangeStream.last, 0

    async def start_over_and_look(stream: ChangeStream) -> Position | None:
        nonlocal looks
        looks += 1
        if looks == 1:
            monkeypatch.setattr(ChangeStream, "remove_earlier_runs", lambda _: asyncio.sleep(0))
            async with connected(access, "test") as connection:
                start = await start_of(primary.store.snapshot())
                await ChangeStream(connection, access.url.stream).start_over(start, "a test")
        return await look(stream)

    monkeypatch.setattr(ChangeStream, "last", start_over_and_look)
    async with Node(access).source as source:
        delta = await source.changes(point, 10, 0)
    assert (delta.reset, delta.reason) == (True, "a test")


async def test_a_change_with_the_id_of_an_earlier_one_is_stored_when_the_server_forgets_that(
    primary: Primary, access: NatsAccess
) -> None:
    stream = access.url.stream
    backup = MemoryStore()
    await backup.load(primary.store.snapshot())
    async with connected(access, "test") as connection:
        await connection.streams.add_stream(
            name=stream, subjects=stored_subjects(stream), duplicate_window=1
        )
    async with following(access) as node:
        async with publishing(primary, access):
            await until(lambda: node.store.is_replica)
            await primary.put("192.0.2.1")
            await until(lambda: node.store.revision == primary.store.revision)
        restored = Primary(backup)
        async with publishing(restored, access):
            await until(lambda: restored.snapshots == 1)
            await restored.put("198.51.100.1")
            async with asyncio.timeout(20):
                while await everything(node.store) != await everything(restored.store):
                    await asyncio.sleep(0.05)


async def test_two_publishers_of_different_databases_do_not_alternate(
    primary: Primary, access: NatsAccess
) -> None:
    other = Primary()
    await other.furnish()
    async with publishing(primary, access), following(access) as node:
        await until(lambda: node.store.epoch == primary.store.epoch)
        async with publishing(other, access):
            await until(lambda: node.store.epoch == other.store.epoch)
            for n in range(20):
                await primary.put(f"192.0.2.{n}")
                await other.put(f"198.51.100.{n}")
            await until(lambda: node.store.revision == other.store.revision)
            await asyncio.sleep(1)
            assert (primary.snapshots, other.snapshots) == (1, 1)


async def test_nothing_is_lost_if_the_server_is_killed(
    primary: Primary, access: NatsAccess, broker: Broker
) -> None:
    async with publishing(primary, access), following(access) as node:
        await until(lambda: node.store.revision == primary.store.revision)
        for n in range(3):
            await primary.put(f"192.0.2.{n}")
            broker.kill()
            await primary.put(f"198.51.100.{n}")
            await until(lambda: not node.replication.connected)
            broker.start()
            await until(lambda: node.store.revision == primary.store.revision)
        await until(lambda: node.replication.connected)
    assert gaps(message for _, _, message in await stored(access)) == []
    assert primary.snapshots == 1


async def test_a_stream_without_a_publisher_is_followed_to_its_end_and_then_reported(
    primary: Primary, access: NatsAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("originmap.jetstream.source.SILENT_SECONDS", 1.0)
    node = Node(access)
    async with node.source:
        async with publishing(primary, access), following(access) as other:
            await primary.put("192.0.2.1")
            await until(lambda: other.store.revision == primary.store.revision)
        await node.follower.catch_up()
        assert node.store.revision == primary.store.revision
    async with following(access, node.store) as again:
        await until(lambda: "no heartbeat" in again.replication.error)


async def test_a_server_that_the_publisher_cannot_reach_is_reported_but_changes_are_applied(
    primary: Primary, access: NatsAccess
) -> None:
    async with publishing(primary, access):
        async with following(access) as node:
            await until(lambda: node.store.revision == primary.store.revision)
        async with following(access) as other:
            await primary.put("192.0.2.1")
            await until(lambda: other.store.revision == primary.store.revision)
            primary.unreachable = "no route"
            await until(lambda: "the server: no route" in other.replication.error)
            async with following(access, node.store) as later:
                await until(lambda: later.store.revision == primary.store.revision)
            primary.unreachable = ""
            await until(lambda: other.replication.connected)


async def test_a_change_that_does_not_fit_into_a_message_starts_the_stream_over(
    primary: Primary, access: NatsAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with publishing(primary, access), following(access) as node:
        await until(lambda: node.store.revision == primary.store.revision)
        (_, _, start), *_ = await stored(access)
        monkeypatch.setattr("originmap.jetstream.stream.LARGEST_BODY", 400)
        await primary.put("192.0.2.1")
        await until(lambda: node.store.revision == primary.store.revision)
        monkeypatch.undo()
        await primary.put("192.0.2.2")
        await until(lambda: node.store.revision == primary.store.revision)
    found = [message for _, _, message in await stored(access)]
    assert [message.reset for message in found] == [True, False]
    assert found[0].since == start.since + 1


async def test_a_damaged_message_is_not_applied(primary: Primary, access: NatsAccess) -> None:
    async with publishing(primary, access), following(access) as node:
        await until(lambda: node.store.is_replica)
        await primary.put("192.0.2.1")
        await until(lambda: node.store.revision == primary.store.revision)
    before = await everything(node.store)
    _, _, last = (await stored(access))[-1]
    follows = {"since": last.revision, "revision": last.revision + 1, "sha256": "0" * 64}
    damaged = msgspec.json.encode(msgspec.structs.replace(last, **follows))
    async with connected(access, "test") as connection:
        await connection.streams.publish(f"{access.url.stream}.zone.{ZONE_ID}", damaged)
    async with following(access, node.store) as again:
        await until(lambda: "checksum mismatch" in again.replication.error)
    assert await everything(node.store) == before


async def test_a_node_reports_through_the_publisher(primary: Primary, access: NatsAccess) -> None:
    node = Node(access)
    report = Report(3, "nginx in SIN", 3, "", "SIN")
    async with node.source:
        with pytest.raises(PrimaryGone):
            await node.source.report(report)
        async with publishing(primary, access), asyncio.timeout(20):
            while "node-1" not in primary.reports:
                with contextlib.suppress(PrimaryGone):
                    await node.source.report(report)
    assert primary.reports == {"node-1": report}


async def test_a_stream_of_another_program_is_not_used(
    primary: Primary, access: NatsAccess
) -> None:
    async with connected(access, "test") as connection:
        await connection.streams.add_stream(name=access.url.stream, subjects=["orders.>"])
        with pytest.raises(PrimaryGone, match="was not created by Originmap") as caught:
            await ChangeStream(connection, access.url.stream).prepare(10, 1)
    assert "--stream" in caught.value.hint

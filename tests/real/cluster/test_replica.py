"""Replicas as real processes: killed, disconnected, with wrong data, and in a chain."""

import asyncio
import random
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.process import COMMAND, Server
from tests.real.cluster.fleet import (
    PATIENCE,
    Primary,
    Seed,
    logged,
    originmap,
    ready,
    same,
    state,
    until,
)


async def test_a_replica_serves_the_data_of_its_primary(
    primary: Primary, writer: httpx.AsyncClient
) -> None:
    await primary.put(writer, "192.0.2.1")
    with primary.replica("first") as replica:
        async with primary.client(replica.url) as reader:
            await same(writer, reader)
            answer = await reader.get(primary.path("192.0.2.1"))
            assert answer.json()["result"]["region"] == "us-east-1"

            async def age() -> str:
                answer = await reader.get(primary.path("192.0.2.1"))
                return answer.headers.get("originmap-replica-age", "")

            assert 0 <= float(await until(age, "the age in a header")) < 20
            await primary.put(writer, "192.0.2.1", "us-west-2")
            await same(writer, reader)


async def test_writes_are_refused_with_the_address_of_the_primary(primary: Primary) -> None:
    with primary.replica("first") as replica:
        async with primary.client() as writer, primary.client(replica.url) as reader:
            await same(writer, reader)
            body = {"origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"}
            answers = [
                await reader.put(primary.path("192.0.2.1"), json=body),
                await reader.delete(primary.path("192.0.2.1")),
                await reader.delete(f"/client/v4/zones/{primary.zone}"),
                await reader.put("/originmap/v1/latencies", json=[]),
                await reader.post("/originmap/v1/rollout", json={"step": "hold"}),
            ]
            for answer in answers:
                assert answer.status_code == 421, answer.text
                assert primary.url in answer.json()["errors"][0]["message"]
        done = subprocess.run(
            [COMMAND, "zone", "create", "new.example", "--db", str(primary.folder / "first.db")],
            capture_output=True,
            text=True,
        )
        assert (done.returncode, primary.url in done.stderr) == (1, True)


async def test_a_token_revoked_on_the_primary_is_revoked_on_the_replica(primary: Primary) -> None:
    token = primary.new_token("short", "read")
    with primary.replica("first") as replica:
        async with (
            primary.client() as writer,
            primary.client(replica.url) as whole,
            primary.client(replica.url, token) as reader,
        ):
            await primary.put(writer, "192.0.2.1")
            await same(writer, whole)
            assert (await reader.get(primary.path("192.0.2.1"))).status_code == 200
            rows = originmap("token", "list", "--db", primary.db)
            id_ = next(row.split()[0] for row in rows.splitlines() if " short " in row)
            originmap("token", "revoke", id_, "--db", primary.db)

            async def refused() -> bool:
                return (await reader.get(primary.path("192.0.2.1"))).status_code == 401

            await until(refused, "the token to stop")


async def test_a_replica_can_follow_a_replica(primary: Primary, writer: httpx.AsyncClient) -> None:
    with (
        primary.replica("first") as first,
        primary.replica("second", first.url) as second,
        primary.replica("third", second.url) as third,
    ):
        async with (
            primary.client(first.url) as one,
            primary.client(second.url) as two,
            primary.client(third.url) as three,
        ):
            await same(writer, one, two, three)
            for n in range(20):
                await primary.put(writer, f"192.0.2.{n}")
            await same(writer, one, two, three)
            second.kill()
            await primary.put(writer, "198.51.100.1")
            again = primary.replica("second", first.url, "--port", second.url.rpartition(":")[2])
            with again:
                await same(writer, one, three)


async def test_a_replica_serves_while_its_primary_is_unreachable(
    primary: Primary, writer: httpx.AsyncClient
) -> None:
    await primary.put(writer, "192.0.2.1")
    with primary.replica("first") as replica:
        async with primary.client(replica.url) as reader:
            await same(writer, reader)
            primary.server.kill()

            async def noticed() -> bool:
                status = await ready(reader)
                return not status["connected"] and status["age_seconds"] > 0.5

            await until(noticed, "the replica to notice")
            assert (await reader.get(primary.path("192.0.2.1"))).status_code == 200
            replica.kill()  # from here on it has only its own file
        with primary.replica("first") as again:
            async with primary.client(again.url) as reader:
                answer = await reader.get(primary.path("192.0.2.1"))
                assert answer.status_code == 200
                status = await ready(reader)
                assert (status["connected"], status["age_seconds"] > 0) == (False, True)
                with primary.start():
                    await primary.put(writer, "192.0.2.2")
                    await same(writer, reader)
                    await until(lambda: connected(reader), "the replica to be connected")


async def test_a_replica_that_is_killed_repeatedly_ends_equal_to_its_primary(
    primary: Primary, writer: httpx.AsyncClient
) -> None:
    """SIGKILL of either process during writes."""
    chance = random.Random(11)
    written = 0

    async def write() -> None:
        nonlocal written
        while True:
            try:
                await primary.put(writer, f"10.0.{written // 200 % 10}.{written % 200}")
                written += 1
            except httpx.TransportError:
                await asyncio.sleep(0.02)

    async def load() -> None:
        """Until a random moment after a few writes."""
        enough = written + 4
        await asyncio.sleep(chance.uniform(0.1, 0.4))
        async with asyncio.timeout(PATIENCE):
            while written < enough:
                await asyncio.sleep(0.01)

    replica = primary.replica("first")
    writing = asyncio.create_task(write())
    for _ in range(3):
        await load()
        replica.kill()
        replica = primary.replica("first")
        await load()
        primary.server.kill()
        primary.start()
    writing.cancel()
    with primary.server, replica:
        async with primary.client(replica.url) as reader:
            await same(writer, reader)
            assert written > 20


@pytest.mark.parametrize("paused", [False, True])
async def test_a_primary_that_was_restored_and_then_written_is_detected(
    primary: Primary, writer: httpx.AsyncClient, paused: bool
) -> None:
    """A paused replica gets an answer from the one and sends the next request to the other, and no
    request fails."""
    with primary.replica("first") as replica:
        async with primary.client(replica.url) as reader:
            await primary.put(writer, "192.0.2.1")
            await same(writer, reader)
            primary.server.stop()
            shutil.copy(primary.db, primary.folder / "backup.db")
            with primary.start():
                await primary.put(writer, "192.0.2.2")
                await same(writer, reader)
                if paused:
                    await until(lambda: connected(reader), "a long poll")
                    replica.process.send_signal(signal.SIGSTOP)
            shutil.copy(primary.folder / "backup.db", primary.db)
            with primary.start():  # the same epoch and revision with a different state
                await primary.put(writer, "192.0.2.3")
                if paused:
                    replica.process.send_signal(signal.SIGCONT)
                await same(writer, reader)
                assert (await reader.get(primary.path("192.0.2.2"))).status_code == 404
                if paused:
                    assert await logged(replica, "the primary has another change")


async def connected(client: httpx.AsyncClient) -> bool:
    return (await ready(client)).get("connected") is True


async def test_a_replica_with_a_damaged_file_does_a_full_sync(
    primary: Primary, writer: httpx.AsyncClient
) -> None:
    db = primary.folder / "first.db"
    await primary.put(writer, "192.0.2.1")
    with primary.replica("first") as replica:
        async with primary.client(replica.url) as reader:
            await same(writer, reader)
    db.write_bytes(b"no database" * 1000)
    with primary.replica("first") as replica:
        async with primary.client(replica.url) as reader:
            await same(writer, reader)
        assert await logged(replica, f"{db}.damaged")
    assert Path(f"{db}.damaged").read_bytes() == b"no database" * 1000


async def test_a_replica_behind_the_history_does_a_full_sync(
    primary: Primary, writer: httpx.AsyncClient
) -> None:
    with primary.replica("first") as replica:
        async with primary.client(replica.url) as reader:
            await same(writer, reader)
    for n in range(20):
        await primary.put(writer, f"192.0.2.{n}")
    primary.server.stop()
    with primary.start("--history-changes", "3"):
        async with primary.client() as writer:
            await until(lambda: forgot(writer), "the history to be shortened")
            with primary.replica("first") as replica:
                async with primary.client(replica.url) as reader:
                    await same(writer, reader)
                    assert await logged(replica, '"event":"full sync"')


async def forgot(client: httpx.AsyncClient) -> bool:
    answer = await client.get("/originmap/v1/changes", params={"since": 1})
    return bool(answer.json()["result"]["reset"])


async def test_a_replica_that_missed_thousands_of_changes_reads_them_all(
    primary: Primary, writer: httpx.AsyncClient
) -> None:
    with primary.replica("first") as replica:
        async with primary.client(replica.url) as reader:
            await same(writer, reader)
            since, _ = await state(reader)
    for batch in range(110):  # more than two requests return
        region = ("us-east-1", "us-west-2")[batch % 2]
        await primary.put_many(writer, [f"192.0.2.{n}" for n in range(100)], region)
    with primary.replica("first") as replica:
        async with primary.client(replica.url) as reader:
            await same(writer, reader)
            assert await changes(reader, since) == await changes(writer, since)
            assert not await logged(replica, "loaded a snapshot")


async def changes(client: httpx.AsyncClient, since: int) -> list[Any]:
    answer = await client.get(f"/originmap/v1/changes?since={since}&limit=10000&whole=true")
    found: list[Any] = answer.json()["result"]["changes"]
    assert len(found) == 10_000
    return found


async def test_a_replica_of_another_database_does_a_full_sync(
    primary: Primary, writer: httpx.AsyncClient, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    second = Primary(other, Seed(other))
    with second.server:
        for n in range(9):
            await primary.put(writer, f"192.0.2.{n}")
        with primary.replica("first") as replica:
            async with primary.client(replica.url) as reader:
                await same(writer, reader)
        name = str(tmp_path / "first.db")
        follow = ["--follow", second.url, "--no-log-requests"]
        with Server(name, tmp_path, "serve", follow, {"ORIGINMAP_TOKEN": second.token}) as moved:
            async with second.client() as writer, second.client(moved.url) as reader:
                await same(writer, reader)


async def test_followers_of_a_promoted_replica_do_a_full_sync(
    primary: Primary, writer: httpx.AsyncClient
) -> None:
    await primary.put(writer, "192.0.2.1")
    with primary.replica("first") as first:
        async with primary.client(first.url) as one:
            await same(writer, one)
        with primary.replica("second", first.url) as second:
            async with primary.client(second.url) as two:
                await same(writer, two)
                primary.server.stop()
                first.stop()
                db = str(primary.folder / "first.db")
                refused = subprocess.run(
                    [COMMAND, "serve", "--db", db], capture_output=True, text=True
                )
                assert (refused.returncode, "originmap promote" in refused.stderr) == (1, True)
                originmap("promote", "--db", db)
                port = first.url.rpartition(":")[2]
                with Server(db, primary.folder, "serve", ["--port", port]):
                    async with primary.client(first.url) as new:
                        await primary.put(new, "192.0.2.2")
                        await same(new, two)


async def test_the_primary_lists_its_followers(primary: Primary, writer: httpx.AsyncClient) -> None:
    with primary.replica("first") as replica:
        async with primary.client(replica.url) as reader:
            await primary.put(writer, "192.0.2.1")
            await same(writer, reader)

            async def caught_up() -> bool:
                (follower,) = (await writer.get("/originmap/v1/followers")).json()["result"]
                assert follower["name"] == "first"
                revision, _ = await state(writer)
                return (follower["revision"], follower["lag"]) == (revision, 0)

            await until(caught_up, "the list to say so")
            assert "first" in originmap("followers", "--db", primary.db)


async def test_a_replica_needs_a_token_with_every_permission(primary: Primary) -> None:
    primary.replica_token = primary.new_token("reader", "read")
    with primary.replica("first") as replica:
        await until(lambda: logged(replica, "the primary answers 403"), "a line in the log")
        async with primary.client(replica.url) as reader:
            answer = await reader.get("/readyz")
            assert (answer.status_code, "403" in answer.text) == (503, False)
            assert "127.0.0.1" not in answer.text


def test_the_database_of_a_running_server_is_not_replaced(tmp_path: Path) -> None:
    db = str(tmp_path / "own.db")
    originmap("zone", "create", "example.com", "--db", db)
    done = subprocess.run(
        [COMMAND, "serve", "--db", db, "--follow", "http://127.0.0.1:9"],
        capture_output=True,
        text=True,
        env={"ORIGINMAP_TOKEN": "x" * 40},
    )
    assert (done.returncode, "not a replica" in done.stderr) == (1, True)


def test_without_a_token_a_replica_does_not_start(tmp_path: Path) -> None:
    done = subprocess.run(
        [COMMAND, "serve", "--db", str(tmp_path / "a.db"), "--follow", "http://127.0.0.1:9"],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, "ORIGINMAP_TOKEN" in done.stderr) == (2, True)


async def test_a_replica_stops_immediately(primary: Primary, writer: httpx.AsyncClient) -> None:
    with primary.replica("first") as replica:
        async with primary.client(replica.url) as reader:
            await same(writer, reader)
        replica.process.send_signal(signal.SIGTERM)
        assert replica.process.wait(8) == 0

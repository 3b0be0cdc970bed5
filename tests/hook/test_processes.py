"""Hooks of real processes: commands, a crash, metrics, and several processes on PostgreSQL."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from originmap.cli import main
from originmap.store.postgres.store import open_postgres
from tests.builders import CAUSE, new_zone
from tests.hook.post import SECRET, Clock, Post
from tests.hook.receiver import Receiver
from tests.postgres import Cluster
from tests.process import BEARER, TOKEN, Server
from tests.waiting import until, wait_until


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        yield server


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    file = tmp_path / "hook.secret"
    file.touch(0o600)
    file.write_text(SECRET + "\n")
    return file


def output(*args: str | Path) -> str:
    """The output of a successful command."""
    done = CliRunner().invoke(main.group, list(map(str, args)))
    assert done.exit_code == 0, (done.output, done.exception)
    return done.stdout


def refusal(*args: str | Path) -> str:
    """The error of a rejected command."""
    done = CliRunner().invoke(main.group, list(map(str, args)))
    assert done.exit_code
    return f"{done.stderr}{done.exception}"


def put(server: Server, *last: int) -> None:
    for number in last:
        address = f"192.0.2.{number}"
        body = {"origin_ip": address, "vendor": "aws", "region": "us-east-1"}
        url = f"{server.mappings}/{address}"
        httpx.put(url, json=body, headers=BEARER).raise_for_status()


def metric(server: Server, name: str) -> float:
    lines = httpx.get(f"{server.url}/metrics").text.splitlines()
    return float(next(line for line in lines if line.startswith(f"{name} ")).split()[1])


def test_each_change_arrives_despite_a_crash(
    receiver: Receiver, secret_file: Path, tmp_path: Path
) -> None:
    db = str(tmp_path / "dev.db")
    url = f"{receiver.url}?key=in-the-url"
    add = ("hook", "add", url, "--on", "mapping", "--secret-file", secret_file, "--name", "ops")
    with Server(db, tmp_path) as server:
        assert output(*add, "--db", db) == "ops\n"
        assert output("hook", "test", "ops", "--db", db) == "delivered\n"
        put(server, 1, 2, 3)
        wait_until(lambda: metric(server, "originmap_hook_messages_total") == 3)
        receiver.statuses = [500]
        put(server, 4)
        wait_until(lambda: metric(server, "originmap_hook_failures_total") == 1)
        (row,) = json.loads(output("hook", "list", "--db", db, "--json"))
        assert (row["attempts"], row["problem"]) == (1, "status 500")
        server.kill()
        log = server.log.read_text()
    with Server(db, tmp_path) as server:
        put(server, 5)
        output("hook", "retry", "ops", "--db", db)
        wait_until(lambda: len({one.json.get("id") for one in receiver.of_kind("mapping")}) == 5)
        wait_until(lambda: metric(server, "originmap_hook_lag_revisions") == 0)
        assert metric(server, "originmap_hooks") == 1
        log += server.log.read_text()
        server.stop()
        assert "Traceback" not in log
    addresses = [one.json["id"] for one in receiver.of_kind("mapping")]
    assert list(dict.fromkeys(addresses)) == [f"192.0.2.{n}" for n in range(1, 6)]
    ids = {one.json["id"]: set[str]() for one in receiver.of_kind("mapping")}
    for one in receiver.of_kind("mapping"):
        ids[one.json["id"]].add(one.id)
    assert {len(each) for each in ids.values()} == {1}
    assert '"hook":"ops"' in log.replace(" ", "")
    assert not [word for word in (SECRET, "in-the-url", "/hook?") if word in log]


def test_a_replica_sends_nothing_and_continues_after_its_promotion(
    receiver: Receiver, secret_file: Path, tmp_path: Path
) -> None:
    primary, copy = str(tmp_path / "dev.db"), str(tmp_path / "copy.db")
    add = ("hook", "add", receiver.url, "--on", "mapping", "--secret-file", secret_file)

    def addresses() -> list[str]:
        return [one.json["id"] for one in receiver.of_kind("mapping")]

    with Server(primary, tmp_path) as server:
        output(*add, "--name", "ops", "--db", primary)
        put(server, 1)
        wait_until(lambda: addresses() == ["192.0.2.1"])
        args = ("--follow", server.url, "--private-hooks")
        with Server(copy, tmp_path, "serve", args, {"ORIGINMAP_TOKEN": TOKEN}) as replica:

            def copied() -> bool:
                name = "originmap_revision"
                return metric(replica, name) == metric(server, name)

            wait_until(copied)  # a change before its first copy would not be in its history
            receiver.statuses = [500]
            put(server, 2)
            wait_until(lambda: addresses() == ["192.0.2.1", "192.0.2.2"])
            wait_until(copied)
            assert "is a replica" in refusal("hook", "test", "ops", "--db", copy)
            assert metric(replica, "originmap_hook_messages_total") == 0
            server.kill()
    output("promote", "--db", copy)
    with Server(copy, tmp_path, "dev"):
        output("hook", "retry", "ops", "--db", copy)
        wait_until(lambda: addresses()[-2:] == ["192.0.2.2", "192.0.2.2"])


def test_a_hook_needs_a_secret_that_only_its_owner_can_read(
    secret_file: Path, tmp_path: Path
) -> None:
    db = tmp_path / "originmap.db"
    output("token", "create", "all", "--access", "everything", "--zone", "all", "--db", db)
    add = ("hook", "add", "https://ops.example.net/", "--on", "mapping", "--db", db)
    file = ("--secret-file", secret_file)
    assert "No such file" in refusal(*add, "--secret-file", tmp_path / "no")
    secret_file.chmod(0o640)
    assert f"chmod 600 {secret_file}" in refusal(*add, *file)
    secret_file.chmod(stat.S_IRUSR)
    assert "'mappings' is not one of" in refusal(*add, *file, "--on", "mappings")
    assert "http or https" in refusal("hook", "add", "ftp://x/", *add[3:], *file)
    assert output(*add, *file, "--name", "a") == "a\n"
    assert "the hook a exists already" in refusal(*add, *file, "--name", "a")
    assert output("hook", "dead", "a", "--db", db).split() == ["revision", "died_on", "problem"]
    output("hook", "remove", "a", "--db", db)
    assert "there is no hook a" in refusal("hook", "dead", "a", "--db", db)


async def test_one_process_of_a_postgresql_database_delivers(
    cluster: Cluster, receiver: Receiver
) -> None:
    url, clock = cluster.new_database(), Clock()
    stores = [await open_postgres(url, clock) for _ in range(2)]
    await stores[0].write_records(new_zone(), CAUSE)
    one, other = (Post(store, clock, f"process-{n}") for n, store in enumerate(stores))
    await one.add(receiver.url)

    def delivered() -> int:
        return one.book.tally.delivered + other.book.tally.delivered

    def addresses() -> list[str]:
        return [received.json["id"] for received in receiver.of_kind("mapping")]

    async with other.delivering():
        async with one.delivering():
            await one.put(*range(1, 6))
            await other.put(*range(6, 11))
            await until(lambda: delivered() == 10)
            assert addresses() == [f"192.0.2.{n}" for n in range(1, 11)]
            assert 0 in (one.book.tally.delivered, other.book.tally.delivered)
        await one.put(11)
        await until(lambda: addresses()[-1] == "192.0.2.11")
    assert len(addresses()) == 11
    for store in stores:
        await store.close()

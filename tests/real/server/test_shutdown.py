"""SIGTERM and SIGINT: received requests are answered, acknowledged writes are durable, and the next
start finds a correct database.
"""

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process import COMMAND, ZONE, Server
from tests.real.cluster.history import checked
from tests.real.server.wire import Connection, Cut, request

PATH = f"/client/v4/zones/{ZONE}/origin/cloud_regions"
SIGNALS = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "stop.db"


@pytest.fixture
def server(db: Path, tmp_path: Path) -> Iterator[Server]:
    with Server(str(db), tmp_path) as server:
        yield server


def item(ip: str) -> dict[str, str]:
    return {"origin_ip": ip, "vendor": "aws", "region": "us-east-1"}


async def write_until_cut(url: str, writer: int, acknowledged: set[str]) -> None:
    """Map new addresses one after the other, singly and in batches of three."""
    try:
        async with Connection(url) as connection:
            for n in range(200):
                ips = [f"10.{writer}.{n}.{i}" for i in range(3 if n % 4 == 0 else 1)]
                if len(ips) == 1:
                    answer = await connection.ask("PUT", f"{PATH}/{ips[0]}", item(ips[0]))
                else:
                    answer = await connection.ask("PUT", f"{PATH}/batch", [*map(item, ips)])
                assert answer.status == 200
                acknowledged.update(ips)
    except Cut:
        return


async def stored(url: str) -> set[str]:
    found: set[str] = set()
    async with Connection(url) as connection:
        for page in range(1, 100):
            answer = await connection.ask("GET", f"{PATH}?per_page=100&page={page}")
            found.update(entry["origin_ip"] for entry in answer.result)
            if not answer.result:
                break
    return found


def exit_status(server: Server) -> int:
    return server.process.wait(20)


def assert_stopped_cleanly(server: Server, db: Path) -> None:
    """Exit status 0, no error in the log, and only the database file itself is left."""
    assert exit_status(server) == 0
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    assert [line for line in lines if line.get("level", "info") != "info"] == []
    assert {path.name for path in db.parent.glob(f"{db.name}*")} == {db.name}


@SIGNALS
def test_under_load_exactly_the_acknowledged_writes_are_on_disk(
    server: Server, db: Path, tmp_path: Path, number: signal.Signals
) -> None:
    acknowledged: set[str] = set()

    async def load() -> None:
        async with asyncio.TaskGroup() as group:
            for writer in range(16):
                group.create_task(write_until_cut(server.url, writer, acknowledged))
            while len(acknowledged) < 500:
                await asyncio.sleep(0.001)
            server.process.send_signal(number)

    asyncio.run(load())

    assert_stopped_cleanly(server, db)
    checked(db)
    with Server(str(db), tmp_path) as again:
        # Not more either: every committed write has a response.
        assert asyncio.run(stored(again.url)) == acknowledged


@SIGNALS
async def test_a_partly_received_request_is_still_answered(
    server: Server, db: Path, number: signal.Signals
) -> None:
    put = request("PUT", f"{PATH}/192.0.2.1", item("192.0.2.1"))
    async with Connection(server.url) as slow, Connection(server.url) as idle:
        await slow.send(put[:-20])
        # The server reads input that arrived before this request before it handles the signal.
        assert (await idle.ask("GET", "/healthz")).status == 200
        server.process.send_signal(number)
        await until_refused(server.url)
        assert await idle.ended() == b""
        await slow.send(put[-20:])
        answer = await slow.answer()
        assert (answer.status, answer.headers["connection"]) == (200, "close")
    assert_stopped_cleanly(server, db)
    assert checked(db).requests > {answer.headers["cf-ray"]}


async def until_refused(url: str) -> None:
    """Wait until the server accepts no new connection."""
    async with asyncio.timeout(10):
        while True:
            try:
                async with Connection(url):
                    await asyncio.sleep(0.01)
            except Cut:
                return


def test_a_client_that_never_finishes_does_not_prevent_the_stop(server: Server, db: Path) -> None:
    async def stop() -> None:
        async with Connection(server.url) as idle, Connection(server.url) as half_head:
            await half_head.send(b"GET /healthz HTTP/1.1\r\nHost")
            assert (await idle.ask("GET", "/healthz")).status == 200
            server.process.send_signal(signal.SIGTERM)
            await asyncio.to_thread(exit_status, server)

    asyncio.run(stop())
    assert exit_status(server) == 0


def test_waiting_for_requests_of_a_development_server_ends_with_it(server: Server) -> None:
    async def wait_and_stop() -> tuple[int, bytes]:
        async with Connection(server.url) as connection:
            path = "/originmap/dev/v1/requests?wait=60&after=100"
            waiting = asyncio.ensure_future(connection.ask("GET", path))
            async with Connection(server.url) as other:
                await other.ask("GET", "/healthz")
            server.process.send_signal(signal.SIGTERM)
            answer = await waiting
            return answer.status, answer.body

    status, body = asyncio.run(wait_and_stop())
    assert (status, json.loads(body)["result"]["requests"]) == (200, [])
    assert exit_status(server) == 0


def test_every_response_is_logged_before_the_server_exits(server: Server, db: Path) -> None:
    async def ask_and_stop() -> str:
        async with Connection(server.url) as connection:
            answer = await connection.ask("GET", PATH)
        server.process.send_signal(signal.SIGTERM)
        return answer.headers["cf-ray"]

    ray = asyncio.run(ask_and_stop())
    assert_stopped_cleanly(server, db)
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    assert [line["status"] for line in lines if line["ray"] == ray] == [200]


def test_the_port_and_the_file_can_be_used_again_immediately(
    server: Server, db: Path, tmp_path: Path
) -> None:
    port = server.url.rpartition(":")[2]
    asyncio.run(write_until_cut(server.url, 1, acknowledged := set()))
    assert server.stop() == 0
    with Server(str(db), tmp_path, args=["--port", port]) as again:
        assert again.url == server.url
        assert asyncio.run(stored(again.url)) == acknowledged


def test_the_socket_of_a_killed_process_does_not_stop_the_next(
    server: Server, db: Path, tmp_path: Path
) -> None:
    server.kill()
    assert os.path.exists(f"{db}.sock")
    with Server(str(db), tmp_path) as again:
        assert again.stop() == 0
    assert not os.path.exists(f"{db}.sock")


def test_a_server_in_memory_stops_cleanly(tmp_path: Path) -> None:
    with Server(":memory:", tmp_path) as server:
        assert server.stop() == 0
    assert server.log.read_text().count("Traceback") == 0


def test_a_signal_directly_after_the_first_line_is_handled() -> None:
    for _ in range(5):
        process = subprocess.Popen(
            [COMMAND, "dev", "--port", "0", "--db", ":memory:"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        _assert_stops_after_its_first_line(process)


@pytest.mark.parametrize("closed", ["0<&-", "2>&-"])
def test_a_process_without_a_standard_stream_stops_cleanly(tmp_path: Path, closed: str) -> None:
    """Otherwise the event loop gets descriptor 0 or 2, and aborts when it closes it."""
    command = f"exec '{COMMAND}' dev --port 0 --db '{tmp_path}/dev.db' {closed}"
    _assert_stops_after_its_first_line(
        subprocess.Popen(["sh", "-c", command], stdout=subprocess.PIPE)
    )


def _assert_stops_after_its_first_line(process: subprocess.Popen[bytes]) -> None:
    try:
        assert process.stdout is not None
        assert process.stdout.readline()
        process.terminate()
        process.communicate(timeout=20)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0

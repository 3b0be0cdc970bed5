"""A full disk: the server is not ready until there is space again."""

import contextlib
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.process import BEARER, Server

ITEM = {"origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"}
SECONDS = 60


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(str(tmp_path / "dev.db"), tmp_path) as server:
        yield server


@contextlib.contextmanager
def full_disk(server: Server, size: int) -> Iterator[None]:
    """No file of the server grows beyond this size."""
    pid = server.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, before[1]))
    yield
    if server.process.poll() is None:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


def put(server: Server) -> int:
    answer = httpx.put(f"{server.mappings}/192.0.2.1", json=ITEM, headers=BEARER, timeout=SECONDS)
    return answer.status_code


def readiness(server: Server) -> int:
    return httpx.get(f"{server.url}/readyz", timeout=SECONDS).status_code


def test_readiness_recovers_without_another_write(server: Server, tmp_path: Path) -> None:
    assert readiness(server) == 200
    with full_disk(server, (tmp_path / "dev.db-wal").stat().st_size):
        assert put(server) == 500
        assert readiness(server) == 503
        time.sleep(1.5)  # the server has tried to write by now
        assert readiness(server) == 503
    deadline = time.monotonic() + SECONDS
    while readiness(server) != 200 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert readiness(server) == 200
    assert put(server) == 200
    assert server.stop() == 0
    assert "Traceback" not in server.log.read_text()


def test_a_server_stops_while_its_disk_is_full(server: Server, tmp_path: Path) -> None:
    with full_disk(server, (tmp_path / "dev.db-wal").stat().st_size):
        assert put(server) == 500
        assert server.stop() == 0
    assert "Traceback" not in server.log.read_text()

"""Servers inside the test's process, and a database with a server or without."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from originmap.api.http.limits import Limits
from tests.process import BEARER, Server
from tests.real.inprocess import InProcess

HASTY = Limits(header_seconds=0.3, body_seconds=0.3, write_seconds=0.3)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[InProcess]:
    with InProcess(tmp_path / "log", Limits()) as server:
        yield server


@pytest.fixture
def hasty(tmp_path: Path) -> Iterator[InProcess]:
    """A server with short timeouts."""
    with InProcess(tmp_path / "log", HASTY) as server:
        yield server


@pytest.fixture(params=["with a server", "without a server"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A database with a mapping, with or without a server."""
    path = tmp_path / "dev.db"
    with Server(str(path), tmp_path) as server:
        item = {"origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"}
        answer = httpx.put(f"{server.mappings}/192.0.2.1", json=item, headers=BEARER)
        assert answer.status_code == 200
        if request.param == "with a server":
            yield path
    if request.param == "without a server":
        yield path

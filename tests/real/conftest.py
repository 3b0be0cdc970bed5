"""Servers inside the test's process, databases with a server or without, and a primary.

The databases are copies: to create one takes several commands.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from originmap.api.http.limits import Limits
from tests.process import BEARER, Server
from tests.real.cluster.fleet import Primary, Seed
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


@pytest.fixture(scope="session")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with a mapping, whose server has stopped."""
    folder = tmp_path_factory.mktemp("stopped")
    with Server(str(folder / "dev.db"), folder) as server:
        item = {"origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"}
        answer = httpx.put(f"{server.mappings}/192.0.2.1", json=item, headers=BEARER)
        assert answer.status_code == 200
    return folder / "dev.db"


@pytest.fixture(params=["with a server", "without a server"])
def db(request: pytest.FixtureRequest, stopped: Path, tmp_path: Path) -> Iterator[Path]:
    """A database with a mapping, with or without a server."""
    path = Path(shutil.copy(stopped, tmp_path))
    if request.param == "without a server":
        yield path
        return
    with Server(str(path), tmp_path):
        yield path


@pytest.fixture(scope="session")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Seed:
    """The database of which each primary has a copy."""
    return Seed(tmp_path_factory.mktemp("seed"))


@pytest.fixture
def primary(tmp_path: Path, seed: Seed) -> Iterator[Primary]:
    """A running primary; a test may start it again."""
    primary = Primary(tmp_path, seed)
    with primary.server:
        yield primary
        primary.server.stop()

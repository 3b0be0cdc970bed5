"""Every store can be reset, saved and loaded."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests import postgres
from tests.process import BEARER, Server

MAPPING = {"origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"}


@pytest.fixture(params=["file", "postgres"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    if request.param == "file":
        db = str(tmp_path / "dev.db")
    else:
        cluster: postgres.Cluster = request.getfixturevalue("cluster")
        db = cluster.new_database()
    with Server(db, tmp_path) as server:
        yield server


def test_a_reset_and_a_saved_state(server: Server) -> None:
    control = f"{server.url}/originmap/dev/v1"
    with httpx.Client(headers=BEARER) as client:

        def mappings() -> int:
            total: int = client.get(server.mappings).json()["result_info"]["total_count"]
            return total

        client.put(f"{server.mappings}/192.0.2.1", json=MAPPING)
        saved = client.get(f"{control}/state").content
        assert client.post(f"{control}/reset").status_code == 200
        assert mappings() == 0
        client.put(f"{server.mappings}/192.0.2.2", json={**MAPPING, "origin_ip": "192.0.2.2"})
        assert client.put(f"{control}/state", content=saved).status_code == 200
        assert client.get(f"{control}/state").content == saved
        assert mappings() == 1
        client.put(f"{control}/clock", json={"freeze": "2001-01-01T00:00:00Z"})
        put = client.put(f"{server.mappings}/192.0.2.3", json={**MAPPING, "origin_ip": "192.0.2.3"})
        assert put.json()["result"]["modified_on"] == "2001-01-01T00:00:00.000000Z"


def test_a_server_that_was_reset_keeps_its_data_when_it_starts_again(tmp_path: Path) -> None:
    db = str(tmp_path / "dev.db")
    with Server(db, tmp_path) as server, httpx.Client(headers=BEARER) as client:
        client.post(f"{server.url}/originmap/dev/v1/reset")
        client.put(f"{server.mappings}/192.0.2.1", json=MAPPING)
    with Server(db, tmp_path) as server, httpx.Client(headers=BEARER) as client:
        assert client.get(f"{server.mappings}/192.0.2.1").status_code == 200
        assert client.put(f"{server.mappings}/192.0.2.1", json=MAPPING).status_code == 200

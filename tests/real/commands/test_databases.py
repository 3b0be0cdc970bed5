"""Migrating and copying whole databases, between files and PostgreSQL."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.postgres import Cluster
from tests.process import Server
from tests.real.command import output, refusal, rows


@pytest.fixture
def url(cluster: Cluster) -> str:
    return cluster.new_database()


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A file with a zone, a token, and mappings with some history."""
    db = tmp_path / "filled.db"
    output("zone", "create", "example.com", "--db", db)
    with Server(str(db), tmp_path, "serve") as server:
        secret = output(
            "token", "create", "deploy", "--zone", "all", "--access", "write", "--db", db
        )
        zone = rows("zone", "list", "--db", db)[0]["id"]
        path = f"{server.api}/zones/{zone}/origin/cloud_regions"
        headers = {"Authorization": f"Bearer {secret.strip()}"}
        for n, region in [(1, "us-east-1"), (2, "us-east-1"), (1, "us-west-2")]:
            ip = f"192.0.2.{n}"
            body = {"origin_ip": ip, "vendor": "aws", "region": region}
            httpx.put(f"{path}/{ip}", json=body, headers=headers).raise_for_status()
    return db


def listed(db: Path | str, *command: str) -> list[dict[str, Any]]:
    """The output of a list command, without values of the database itself."""
    found = rows(*command, "--db", db)
    return [{**row, "id": row["id"].partition("-")[2] or row["id"]} for row in found]


def test_a_file_moves_to_postgresql_and_back(filled: Path, url: str, tmp_path: Path) -> None:
    back = tmp_path / "back.db"
    there = output("copy", "--from", filled, "--to", url)
    assert "2 mappings" in there
    assert output("copy", "--from", url, "--to", back) == there
    for db in (url, back):
        for command in (("audit",), ("zone", "list"), ("token", "list")):
            assert listed(db, *command) == listed(filled, *command)


def test_a_database_with_data_is_replaced_only_on_request(filled: Path, url: str) -> None:
    output("zone", "create", "example.net", "--db", url)
    message = refusal("copy", "--from", filled, "--to", url)
    assert "not empty" in message
    assert "--replace" in message
    assert [zone["name"] for zone in rows("zone", "list", "--db", url)] == ["example.net"]
    output("copy", "--from", filled, "--to", url, "--replace")
    assert [zone["name"] for zone in rows("zone", "list", "--db", url)] == ["example.com"]


def test_a_file_in_use_is_not_copied(tmp_path: Path, url: str) -> None:
    db = tmp_path / "used.db"
    with Server(str(db), tmp_path, "serve"):
        assert "another process owns" in refusal("copy", "--from", db, "--to", url)


def test_a_missing_file_is_neither_copied_nor_created(tmp_path: Path, url: str) -> None:
    missing = tmp_path / "missing.db"
    assert "no such file" in refusal("copy", "--from", missing, "--to", url)
    assert "no such file" in refusal("migrate", "--db", missing)
    assert not missing.exists()


def test_migrating_reports_its_steps(filled: Path, url: str) -> None:
    assert "from version 0 to version 2" in output("migrate", "--db", url)
    assert "nothing to do" in output("migrate", "--db", url)
    assert "nothing to do" in output("migrate", "--db", filled)

"""originmap audit-mappings: a zone's mappings against published ranges."""

import json
from pathlib import Path

import httpx
import pytest

from tests.process import BEARER, Server
from tests.real.command import output, run

SAMPLE = Path(__file__).parents[2] / "detect" / "files" / "aws.json"


@pytest.fixture
def ranges(tmp_path: Path) -> Path:
    folder = tmp_path / "ranges"
    output("ranges", "import", SAMPLE, "--ranges", folder)
    return folder


def _put(server: Server, ip: str, region: str) -> None:
    item = {"origin_ip": ip, "vendor": "aws", "region": region}
    assert httpx.put(f"{server.mappings}/{ip}", json=item, headers=BEARER).status_code == 200


@pytest.mark.parametrize("running", [True, False])
def test_every_mapping_is_listed_with_its_verdict(
    tmp_path: Path, ranges: Path, running: bool
) -> None:
    db = tmp_path / "dev.db"
    args = ("audit-mappings", "example.com", "--ranges", ranges, "--db", db, "--json")
    with Server(str(db), tmp_path) as server:
        _put(server, "192.0.2.1", "us-east-1")
        _put(server, "192.0.2.2", "us-west-2")
        _put(server, "203.0.113.254", "eu-west-1")
        if running:
            done = run(*args)
    if not running:
        done = run(*args)
    assert done.returncode == 1, done.stderr
    rows = json.loads(done.stdout)
    assert [(row["origin_ip"], row["verdict"]) for row in rows] == [
        ("192.0.2.1", "mismatch"),
        ("192.0.2.2", "confirmed"),
        ("203.0.113.254", "unlisted"),
    ]
    assert rows[0]["published_region"] == "us-west-2"
    assert 3000 < rows[0]["distance_km"] < 4000


def test_only_mismatches_can_be_listed(tmp_path: Path, ranges: Path) -> None:
    db = tmp_path / "dev.db"
    with Server(str(db), tmp_path) as server:
        args = ("audit-mappings", "example.com", "--ranges", ranges, "--db", db, "--mismatches")
        _put(server, "192.0.2.2", "us-west-2")
        assert json.loads(output(*args, "--json")) == []
        _put(server, "192.0.2.1", "us-east-1")
        found = run(*args)
    assert found.returncode == 1
    assert "us-west-2" in found.stdout
    assert "192.0.2.2" not in found.stdout


def test_missing_ranges_are_reported_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "cloudip.py").write_text("")  # hides the installed ranges
    args = ("audit-mappings", "example.com", "--ranges", tmp_path / "none", "--db", "x.db")
    done = run(*args, env={"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 1
    assert "ranges" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_server_uses_ranges_after_their_import(tmp_path: Path, ranges: Path) -> None:
    db = str(tmp_path / "dev.db")
    with Server(db, tmp_path, args=("--ranges", str(ranges))) as server:
        url = f"{server.url}/originmap/v1/detect"
        for _ in range(500):
            answer = httpx.post(url, json={"addresses": ["192.0.2.1"]}, headers=BEARER).json()
            (detection,) = answer["result"]["detections"]
            if detection["verdict"] == "confirmed":
                break
        assert detection["evidence"]["region"] == "us-west-2"

"""originmap topology, resolve and whatif, with and without a running server."""

import json
from pathlib import Path

import pytest

from tests.real.command import output, refusal, rows, run


def test_an_origin_is_resolved_and_explained(db: Path) -> None:
    lines = output("resolve", "example.com", "192.0.2.1", "192.0.2.9", "--db", db).splitlines()
    assert lines[1].split()[:4] == ["192.0.2.1", "hint", "IAD", "EWR"]
    assert lines[2].split()[:2] == ["192.0.2.9", "generic"]
    explained = output("resolve", "example.com", "192.0.2.1", "--explain", "--db", db)
    assert explained.count("\n") > 75
    (found,) = rows("resolve", "example.com", "::ffff:192.0.2.1", "--db", db)
    assert found["origin_ips"] == ["192.0.2.1"]
    (pool,) = rows("resolve", "example.com", "192.0.2.1", "192.0.2.9", "--pool", "--db", db)
    assert pool["origin_ips"] == ["192.0.2.1", "192.0.2.9"]


def test_a_colo_is_drained_downed_and_activated(db: Path) -> None:
    for command, first in (("drain", "EWR"), ("down", "EWR"), ("activate", "IAD")):
        output("topology", command, "iad", "--db", db)
        line = output("resolve", "example.com", "192.0.2.1", "--db", db).splitlines()[1]
        assert line.split()[2] == first
    assert "there is no colo NOPE" in refusal("topology", "drain", "NOPE", "--db", db)


def test_whatif_lists_moves_and_changes_nothing(db: Path) -> None:
    told = output("whatif", "--down", "IAD", "--db", db)
    assert "1 origin would move to another upper tier" in told
    assert "example.com" in told
    found = json.loads(output("whatif", "--down", "IAD", "--json", "--db", db))
    assert (found["cold_origins"], found["urls"], found["regional_hubs"]) == (1, [], [])
    (move,) = found["moves"]
    assert (move["before"], move["after"]) == (["IAD", "EWR"], ["EWR", "YYZ"])
    assert move["cold"] is True
    found = json.loads(output("whatif", "--down", "EWR", "--json", "--db", db))
    assert [move["cold"] for move in found["moves"]] == [False]
    assert "0 origins" in output("whatif", "--drain", "SYD", "--db", db)
    refusal("whatif", "--db", db, status=2)


def test_the_printed_topology_can_be_read_again(db: Path, tmp_path: Path) -> None:
    file = tmp_path / "topology.json"
    file.write_text(output("topology", "show", "--json", "--db", db))
    output("topology", "set", file, "--db", db)
    own = json.loads(file.read_text())
    own["colos"] = [colo for colo in own["colos"] if colo["code"] in ("IAD", "SYD")]
    file.write_text(json.dumps(own))
    output("topology", "set", file, "--db", db)
    shown = output("topology", "show", "--db", db)
    assert ("IAD" in shown, "EWR" in shown) == (True, False)
    assert "topology" in output("audit", "--db", db)


def test_origins_are_counted_again_on_request(db: Path, tmp_path: Path) -> None:
    file = tmp_path / "topology.json"
    topology = json.loads(output("topology", "show", "--json", "--db", db))
    topology["colos"] = [colo for colo in topology["colos"] if colo["code"] in ("IAD", "SEA")]
    for colo in topology["colos"]:
        colo["max_share"] = 50 if colo["code"] == "IAD" else 100
    file.write_text(json.dumps(topology))
    output("topology", "set", file, "--db", db)
    stored = json.loads(output("topology", "show", "--json", "--db", db))
    assert stored["origins"] == {"aws/us-east-1": 1}
    file.write_text(json.dumps(topology | {"origins": {"aws/us-east-2": 9, "aws/us-east-1": 1}}))
    output("topology", "set", file, "--db", db)
    assert rows("resolve", "example.com", "192.0.2.1", "--db", db)[0]["primary"]["colo"] == "SEA"
    counted = run("topology", "rebalance", "--dry-run", "--db", db).stderr
    assert "1 origin would move" in counted
    assert rows("resolve", "example.com", "192.0.2.1", "--db", db)[0]["primary"]["colo"] == "SEA"
    output("topology", "rebalance", "--db", db)
    assert rows("resolve", "example.com", "192.0.2.1", "--db", db)[0]["primary"]["colo"] == "IAD"


def test_whatif_tries_a_topology_with_other_caches(db: Path, tmp_path: Path) -> None:
    for name in ("iad-1", "iad-2"):
        output("cache", "add", "IAD", name, f"{name}.example.net", "--db", db)
    file = tmp_path / "topology.json"
    topology = output("topology", "show", "--json", "--db", db)
    file.write_text(
        topology.replace('"state": "active",\n          "tags"', '"state": "down", "tags"', 1)
    )
    told = output("whatif", "--topology", file, "--db", db)
    assert "IAD: 50.0% of URLs would move to another cache" in told
    refusal("whatif", "--topology", file, "--drain", "IAD", "--db", db, status=2)


UNKNOWN = (
    '{"colos": [{"code": "IAD", "city": "Ashburn", "country": "US", "latitude": 38.9,'
    ' "longitude": -77.5, "eligable": false}]}'
)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"colos": []}', '{"colos": [{"code": 1}]}', UNKNOWN]
)
def test_an_invalid_topology_file_changes_nothing(db: Path, tmp_path: Path, content: str) -> None:
    file = tmp_path / "bad.json"
    file.write_text(content)
    before = output("topology", "show", "--json", "--db", db)
    refusal("topology", "set", file, "--db", db)
    refusal("topology", "set", tmp_path / "absent.json", "--db", db)
    assert output("topology", "show", "--json", "--db", db) == before

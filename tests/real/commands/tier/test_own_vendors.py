"""Own vendors and regions in mappings as code, against a server that hides them from /client/v4."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.process import BEARER, TOKEN, ZONE, Server
from tests.real.command import run
from tests.real.commands.planner import Planner

FRA = {"vendor": "acme", "region": "fra-1", "latitude": 50.1155, "longitude": 8.6842}
SAMPLE = Path(__file__).parents[3] / "detect" / "files" / "aws.json"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(":memory:", tmp_path_factory.mktemp("server")) as server:
        catalogue = f"{server.url}/originmap/v1/catalogue"
        httpx.put(catalogue, json={"regions": [FRA]}, headers=BEARER).raise_for_status()
        yield server


@pytest.fixture
def user(tmp_path: Path, server: Server) -> Planner:
    return Planner(tmp_path, server.api)


def test_a_plan_knows_them_and_apply_writes_them(user: Planner) -> None:
    file = user.zone(["192.0.2.1: acme/fra-1", "192.0.2.2: aws/us-east-1"])
    planned = user.run("plan", file, "--out", "plan.json")
    assert planned.status in (0, 2), planned.err
    assert "any colo to FRA: 1 of example.com" in planned.out
    done = user.run("apply", "plan.json", "--yes")
    assert done.status == 0, done.err
    assert user.run("drift", file) == (0, "", "")
    dumped = user.run("dump")
    assert "acme" in dumped.out
    assert dumped.err == ""
    emptied = user.run("apply", user.zone([]), "--yes", "--allow-mass-change")
    assert emptied.status == 0, emptied.err


def test_an_unknown_region_is_refused_with_the_similar_one(user: Planner) -> None:
    planned = user.run("plan", user.zone(["192.0.2.1: acme/fra-9"]))
    assert planned.status == 1
    assert "unknown region 'fra-9' of acme; is it fra-1?" in planned.err


def test_audits_have_the_distance_to_an_own_region(user: Planner, server: Server) -> None:
    item = {"origin_ip": "192.0.2.1", "vendor": "acme", "region": "fra-1"}
    url = f"{server.url}/originmap/v1/zones/{ZONE}/mappings/batch"
    httpx.put(url, json=[item], headers=BEARER).raise_for_status()
    ranges = user.folder / "ranges"
    assert run("ranges", "import", SAMPLE, "--ranges", ranges).returncode == 0
    audit = ("audit-mappings", "example.com", "--ranges", str(ranges), "--json")
    done = run(*audit, "--server", server.url, env={"ORIGINMAP_TOKEN": TOKEN})
    assert done.returncode == 1, done.stderr
    assert '"distance_km":' in done.stdout
    assert '"distance_km":null' not in done.stdout
    httpx.request("DELETE", url, json=["192.0.2.1"], headers=BEARER).raise_for_status()

"""A server process that reads from a standby of its PostgreSQL database."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from click.testing import CliRunner

from originmap.cli.commands.server.serve import command
from tests.postgres import Cluster
from tests.process import Server
from tests.real.command import output
from tests.waiting import wait_until

AGE = "originmap-replica-age"
PAUSE, RESUME = "SELECT pg_wal_replay_pause()", "SELECT pg_wal_replay_resume()"


class _Pair(NamedTuple):
    """A server with its standby, two zones, and a client."""

    server: Server
    standby: Cluster
    zones: tuple[str, str]
    client: httpx.Client

    def mapping(self, zone: int = 0) -> str:
        return f"/client/v4/zones/{self.zones[zone]}/origin/cloud_regions/192.0.2.1"

    def put(self, region: str, zone: int = 0) -> None:
        body = {"origin_ip": "192.0.2.1", "vendor": "aws", "region": region}
        assert self.client.put(self.mapping(zone), json=body).status_code == 200

    def age_of(self, path: str) -> float:
        """The age of an answer, once the standby serves it."""
        ages: list[str] = []

        def is_served() -> bool:
            ages[:] = self.client.get(path).headers.get_list(AGE)
            return bool(ages)

        wait_until(is_served)
        return float(ages[0])

    def standby_now(self) -> dict[str, object]:
        now: dict[str, object] = self.client.get("/readyz").json()["result"]["standby"]
        return now


@pytest.fixture(scope="module")
def pair(
    replicated: tuple[Cluster, Cluster], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[_Pair]:
    primary, standby = replicated
    url = primary.new_database()
    access = ("--zone", "all", "--access", "everything")
    token = output("token", "create", "operator", *access, "--db", url).strip()
    secret = standby.url(url.rpartition("/")[2]).replace("originmap@", "originmap:s3cret@")
    reading = ["--read-from-max-lag", "60"]
    env = {"ORIGINMAP_READ_FROM": secret}
    with Server(url, tmp_path_factory.mktemp("server"), "serve", reading, env) as server:
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=server.url, headers=headers, timeout=20) as client:
            zones = new_zone(client, "example.com"), new_zone(client, "other.example")
            yield _Pair(server, standby, zones, client)


@pytest.fixture
def paused(pair: _Pair) -> Iterator[_Pair]:
    """The same, with a mapping in each zone, whose standby no longer replays."""
    for zone in (0, 1):
        pair.put("us-east-1", zone)
        pair.age_of(pair.mapping(zone))
    pair.standby.sql(PAUSE, "postgres")
    yield pair
    pair.standby.sql(RESUME, "postgres")


def new_zone(client: httpx.Client, name: str) -> str:
    account = client.get("/client/v4/accounts").json()["result"][0]["id"]
    made = client.post("/client/v4/zones", json={"name": name, "account": {"id": account}})
    zone: str = made.json()["result"]["id"]
    return zone


def test_answers_from_the_standby_have_its_lag(pair: _Pair) -> None:
    pair.put("us-east-1")
    zone = pair.zones[0]
    own = f"/originmap/v1/zones/{zone}"
    for path in (
        pair.mapping(),
        pair.mapping().rpartition("/")[0],
        pair.mapping().replace("192.0.2.1", "192.0.2.9"),  # 404
        f"{own}/resolve?ip=192.0.2.1",
        f"{own}/history",
        f"{own}/mappings",
        "/originmap/v1/regions",
        "/originmap/v1/export/json",
        "/originmap/v1/snapshot",
        "/originmap/v1/changes?since=0",
        "/originmap/v1/audit",
    ):
        assert 0 <= pair.age_of(path) < 60, path
    for path in ("/client/v4/zones", "/originmap/v1/topology", "/healthz"):
        assert AGE not in pair.client.get(path).headers


def test_a_client_sees_its_own_write_while_the_standby_is_behind(paused: _Pair) -> None:
    paused.put("eu-west-1")
    answer = paused.client.get(paused.mapping())
    assert answer.json()["result"]["region"] == "eu-west-1"
    assert AGE not in answer.headers
    ages = []
    for _ in range(2):
        other = paused.client.get(paused.mapping(1))
        assert other.json()["result"]["region"] == "us-east-1"
        ages.append(float(other.headers[AGE]))
        wait_until(lambda: float(str(paused.standby_now()["lag_seconds"])) > ages[0] + 0.5)
    assert ages[1] > ages[0]


def test_a_token_revoked_while_the_standby_is_behind_is_refused(paused: _Pair) -> None:
    wanted = {"name": "short", "access": "read"}
    made = paused.client.post("/originmap/v1/tokens", json=wanted)
    token = made.json()["result"]
    headers = {"Authorization": f"Bearer {token['secret']}"}
    answer = paused.client.get(paused.mapping(1), headers=headers)
    assert (answer.status_code, AGE in answer.headers) == (200, True)
    assert paused.client.delete(f"/originmap/v1/tokens/{token['id']}").status_code == 200
    assert paused.client.get(paused.mapping(1), headers=headers).status_code == 401


def test_the_server_is_ready_and_reads_while_the_standby_is_down(pair: _Pair) -> None:
    pair.put("us-east-1")
    wait_until(lambda: pair.standby_now()["serves"] is True)
    pair.standby.kill()
    for _ in range(20):
        answer = pair.client.get(pair.mapping())
        assert answer.status_code == 200
    assert AGE not in answer.headers
    wait_until(lambda: pair.standby_now()["serves"] is False)
    metrics = pair.client.get("/metrics").text
    assert "originmap_standby_serves 0.0" in metrics
    for name in ("standby_lag_seconds", "standby_reads_total", "standby_fallbacks_total"):
        assert f"\noriginmap_{name} " in metrics
    pair.standby.start()
    pair.age_of(pair.mapping())
    log = pair.server.log.read_text()
    assert "the primary serves all reads instead of the standby" in log
    assert "the standby serves reads again" in log
    assert "s3cret" not in log


@pytest.mark.parametrize(
    ("db", "args", "says"),
    [
        ("x.db", ("--read-from", "postgresql://a/b"), "--db is not a postgresql:// URL"),
        ("postgresql://a/b", ("--read-from", "x.db"), "--read-from is not a postgresql:// URL"),
        (
            "postgresql://a/b",
            ("--read-from", "postgresql://c/b", "--follow", "http://127.0.0.1:1"),
            "has no effect on a replica",
        ),
        ("postgresql://a/b", ("--read-from-max-lag", "0"), "is not a number from 0.1 to 86400"),
    ],
)
def test_options_that_exclude_a_standby_are_refused(
    db: str, args: tuple[str, ...], says: str, tmp_path: Path
) -> None:
    path = db if "://" in db else str(tmp_path / db)
    done = CliRunner().invoke(command, ["--db", path, *args])
    assert (done.exit_code, says in done.output) == (2, True)

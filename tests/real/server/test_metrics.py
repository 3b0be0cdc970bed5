"""The metrics of real processes under load, parsed like Prometheus does.

The documentation, the dashboard and the alerts name only existing metrics.
"""

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from originmap.domain.rollout.rollout import RolloutState
from tests.process import BEARER, ZONE, Server
from tests.real.cluster.fleet import Primary, Seed, same, until

ROOT = Path(__file__).parents[3]
RULES = yaml.safe_load((ROOT / "deploy/prometheus/originmap.rules.yml").read_text())
DASHBOARD = json.loads((ROOT / "deploy/grafana/originmap.json").read_text())
MAPPING = "/client/v4/zones/{zone_id}/origin/cloud_regions/{origin_ip}"
WRITES = 300

Labels = frozenset[tuple[str, str]]
Samples = dict[str, dict[Labels, float]]


def samples(text: str) -> Samples:
    """Values by the names of the samples and their labels."""
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[frozenset(sample.labels.items())] = sample.value
    return found


async def scraped(client: httpx.AsyncClient) -> Samples:
    answer = await client.get("/metrics")
    assert answer.status_code == 200
    return samples(answer.text)


def one(found: Samples, name: str) -> float:
    (value,) = found[name].values()
    return value


def requests(found: Samples, **labels: str) -> float:
    counted = found["originmap_requests_total"]
    return sum(value for key, value in counted.items() if labels.items() <= dict(key).items())


@pytest.fixture(scope="module")
def pair(seed: Seed, tmp_path_factory: pytest.TempPathFactory) -> tuple[Samples, Samples]:
    """The metrics of a primary and its replica after writes, reads and invalid requests."""
    primary = Primary(tmp_path_factory.mktemp("primary"), seed)
    with primary.server, primary.replica("first") as replica:
        return asyncio.run(metrics_of(primary, replica))


async def metrics_of(primary: Primary, replica: Server) -> tuple[Samples, Samples]:
    async with primary.client() as writer, primary.client(replica.url) as reader:
        await loaded(primary, writer)
        await same(writer, reader)
        for client in (writer, reader):
            await asyncio.gather(*(client.get(primary.path("198.51.0.1")) for _ in range(50)))
            await client.get("/nothing/here")
        await until(lambda: caught_up(writer), "the replica's report")
        return await scraped(writer), await scraped(reader)


async def loaded(primary: Primary, writer: httpx.AsyncClient) -> None:
    puts = (primary.put(writer, f"198.51.{n // 200}.{n % 200 + 1}") for n in range(WRITES))
    await asyncio.gather(*puts)
    start = {"step": "start", "stages": "100%", "base": 1}  # so that there is a stage
    answer = await writer.post("/originmap/v1/rollout", json=start)
    assert answer.status_code == 200, answer.text


async def caught_up(writer: httpx.AsyncClient) -> bool:
    found = await scraped(writer)
    return one(found, "originmap_follower_lag_revisions") == 0


def test_a_scrape_counts_operations(pair: tuple[Samples, Samples]) -> None:
    primary, replica = pair
    assert requests(primary, route=MAPPING, method="PUT", status="200") == WRITES
    assert requests(primary, route=MAPPING, method="GET", status="200") == 50
    assert requests(primary, route="none", status="404") == 1
    assert one(primary, "originmap_writes_total") >= WRITES
    assert (
        1 <= one(primary, "originmap_write_groups_total") <= one(primary, "originmap_writes_total")
    )
    assert one(primary, "originmap_writes_waiting") == 0
    assert one(primary, "originmap_store_writable") == 1
    assert one(primary, "originmap_store_size_bytes") > 4096
    assert one(primary, "originmap_followers") == 1
    assert one(primary, "originmap_followers_silent") == 0
    assert one(primary, "originmap_revision") == one(replica, "originmap_revision") > WRITES
    assert one(replica, "originmap_replica_connected") == 1
    assert 0 <= one(replica, "originmap_replica_age_seconds") < 20
    assert requests(replica, route=MAPPING, method="GET", status="200") == 50
    assert "originmap_replica_age_seconds" not in primary


def test_every_duration_is_in_a_bucket(pair: tuple[Samples, Samples]) -> None:
    found = pair[0]
    labels = frozenset({("route", MAPPING), ("method", "PUT")})
    buckets = {
        float(dict(key)["le"]): value
        for key, value in found["originmap_request_duration_seconds_bucket"].items()
        if labels <= key
    }
    counts = [buckets[bound] for bound in sorted(buckets)]
    assert counts == sorted(counts)
    assert counts[-1] == found["originmap_request_duration_seconds_count"][labels] == WRITES
    assert found["originmap_request_duration_seconds_sum"][labels] > 0


def test_docs_dashboard_and_alerts_name_existing_metrics(
    pair: tuple[Samples, Samples],
) -> None:
    there = set(pair[0]) | set(pair[1])
    families = {re.sub(r"_(bucket|sum|count|created)$", "", name) for name in there}
    page = (ROOT / "docs/metrics.md").read_text()
    documented = set(re.findall(r"^\| `(\w+)`", page, re.MULTILINE))
    of_standby = {name for name in documented if name.startswith("originmap_standby_")}
    assert documented - of_standby == families  # those of a standby: tests/real/cluster
    for expression in [*alert_expressions(), *panel_expressions()]:
        named = set(re.findall(r"\b(?:originmap|process)_\w+", expression))
        assert named, expression
        assert named <= there, expression


def test_no_label_reveals_stored_data(pair: tuple[Samples, Samples]) -> None:
    labels = {
        label for found in pair for series in found.values() for key in series for label in key
    }
    names = {"route", "method", "status", "le", "version", "state", "stage"}
    assert {key for key, _ in labels} == names
    text = repr(labels)
    assert "198.51" not in text
    assert "/nothing/here" not in text
    assert "first" not in text


def alert_expressions() -> list[str]:
    return [rule["expr"] for group in RULES["groups"] for rule in group["rules"]]


def panel_expressions() -> list[str]:
    """The query with values for Grafana's variables."""
    targets = [target for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]
    return [target["expr"].replace("$__rate_interval", "1m") for target in targets]


@pytest.mark.parametrize("expression", [*alert_expressions(), *panel_expressions()])
def test_prometheus_can_parse_the_expression(expression: str) -> None:
    assert promql_parser.parse(expression) is not None


def test_every_alert_has_a_description() -> None:
    names = [rule["alert"] for group in RULES["groups"] for rule in group["rules"]]
    assert len(names) == len(set(names)) == 10
    for group in RULES["groups"]:
        for rule in group["rules"]:
            assert re.fullmatch(r"\d+m", rule["for"])
            assert rule["labels"]["severity"] in ("warning", "critical")
            assert set(rule["annotations"]) == {"summary", "description"}


def test_the_dashboard_uses_the_selected_data_source() -> None:
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    variables = {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    assert variables["instance"]["datasource"] == chosen
    panels: list[dict[str, Any]] = [p for p in DASHBOARD["panels"] if p["type"] != "row"]
    assert all(panel["datasource"] == chosen for panel in panels)
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))


def test_both_request_paths_for_a_mapping_have_one_route_label(dev: Server) -> None:
    with httpx.Client(base_url=dev.url, headers=BEARER) as client:
        url = f"{dev.mappings}/192.0.2.1"
        client.put(url, json={"origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"})
        assert client.get(url).status_code == 200  # the fast path
        assert client.get(url, params={"x": "1"}).status_code in (200, 400)  # the framework path
        found = samples(client.get("/metrics").text)
        assert requests(found, route=MAPPING, method="GET") == 2
        assert ZONE not in repr(found)


def test_the_state_of_the_last_rollout_is_a_metric(dev: Server) -> None:
    def numbers() -> tuple[set[str], float, float]:
        found = samples(httpx.get(f"{dev.url}/metrics").text)
        states = {dict(key)["state"]: n for key, n in found["originmap_rollout_state"].items()}
        assert set(states) == set(RolloutState)
        counts = (one(found, f"originmap_rollout_stages{end}") for end in ("", "_released"))
        return {state for state, number in states.items() if number}, *counts

    def step(**asked: str) -> None:
        answer = httpx.post(f"{dev.url}/originmap/v1/rollout", json=asked, headers=BEARER)
        assert answer.status_code == 200, answer.text

    def stages(name: str) -> dict[str, float]:
        found = samples(httpx.get(f"{dev.url}/metrics").text)
        counts = found.get(f"originmap_rollout_{name}", {})
        return {dict(key)["stage"]: n for key, n in counts.items()}

    assert numbers() == (set(), 0, 0)
    step(step="hold")
    assert numbers() == ({"held"}, 0, 0)
    put = {"origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"}
    assert httpx.put(f"{dev.mappings}/192.0.2.1", json=put, headers=BEARER).status_code == 200
    step(step="start", stages="1%,10%,100%")
    assert numbers() == ({"running"}, 3, 1)
    step(step="advance")
    assert numbers() == ({"running"}, 3, 2)
    assert stages("nodes") == stages("nodes_there") == {"1": 0, "2": 0, "3": 0}
    node = {"revision": 4, "applied": 4, "colo": "SIN"}
    url = f"{dev.url}/originmap/v1/followers/sin-1"
    assert httpx.put(url, json=node, headers=BEARER).status_code == 200
    assert sum(stages("nodes").values()) == 1
    step(step="kill")
    assert numbers()[0] == {"killed"}
    step(step="finish")
    assert stages("nodes") == {}


def test_openmetrics_is_served_on_request(dev: Server) -> None:
    wanted = {"Accept": "application/openmetrics-text; version=1.0.0"}
    answer = httpx.get(f"{dev.url}/metrics", headers=wanted)
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")
    answer = httpx.get(f"{dev.url}/metrics")
    assert answer.headers["content-type"].startswith("text/plain")


def test_no_metrics_removes_the_route(tmp_path: Path) -> None:
    with Server(str(tmp_path / "dev.db"), tmp_path, args=["--no-metrics"]) as server:
        assert httpx.get(f"{server.url}/metrics").status_code == 404


def test_the_exposition_library_is_loaded_at_the_first_scrape() -> None:
    program = (
        "import sys, originmap.bootstrap, originmap.cli.commands.server.serve;"
        "import originmap.api.native.metrics;"
        "sys.exit('prometheus_client' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0

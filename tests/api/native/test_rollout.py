"""GET and POST of /originmap/v1/rollout, and the snapshot for a rollout."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from originmap.service.initial_data import DEV_ID
from tests.api.application import MAPPINGS, dev_client

ROOT = "http://testserver/originmap/v1"
STAGES = "SIN,FRA+IAD,50%,100%"


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with dev_client() as client:
        yield client


async def put(client: httpx.AsyncClient, ip: str = "192.0.2.1", region: str = "us-east-1") -> None:
    body = {"origin_ip": ip, "vendor": "aws", "region": region}
    assert (await client.put(f"{MAPPINGS}/{ip}", json=body)).status_code == 200


async def step(client: httpx.AsyncClient, name: str, **members: Any) -> Any:
    """The result of a step: the rollout, or the error's status and first message."""
    answer = await client.post(f"{ROOT}/rollout", json={"step": name, **members})
    if answer.status_code == 200:
        return answer.json()["result"]
    return answer.status_code, answer.json()["errors"][0]["message"]


async def report(client: httpx.AsyncClient, name: str, colo: str, applied: int) -> None:
    body = {"revision": applied, "colo": colo, "applied": applied, "serves": f"nginx at {colo}"}
    assert (await client.put(f"{ROOT}/followers/{name}", json=body)).status_code == 200


async def revision(client: httpx.AsyncClient) -> int:
    answer = await client.get(f"{ROOT}/changes")
    return int(answer.json()["result"]["revision"])


async def test_without_a_rollout_the_result_is_null(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"{ROOT}/rollout")
    assert (answer.status_code, answer.json()["result"]) == (200, None)


async def test_a_rollout_runs_from_hold_to_finish(client: httpx.AsyncClient) -> None:
    await put(client)
    base = await revision(client)
    held = await step(client, "hold")
    assert (held["state"], held["base"], held["target"], held["changes"]) == ("held", base, None, 0)
    await put(client, region="us-west-2")
    await put(client, "192.0.2.2")
    target = await revision(client)
    started = await step(client, "start", stages=STAGES)
    assert (started["state"], started["base"], started["target"]) == ("running", base, target)
    assert (started["released"], started["changes"], started["later"]) == (1, 2, 0)
    assert [stage["released"] for stage in started["stages"]] == [True, False, False, False]
    await put(client, "192.0.2.3")
    for stage in (2, 3, 4):
        shown = await step(client, "advance", stage=stage, number=started["number"])
        assert (shown["released"], shown["later"]) == (stage, 1)
    assert (await step(client, "finish"))["state"] == "done"
    answer = await client.get(f"{ROOT}/rollout")
    assert answer.json()["result"]["by"] == DEV_ID


async def test_the_status_has_the_allowed_and_the_served_revision_of_each_node(
    client: httpx.AsyncClient,
) -> None:
    await step(client, "hold")
    base = (await step(client, "hold", base=0))[0]
    assert base == 409
    await put(client)
    started = await step(client, "start", stages=STAGES)
    await report(client, "edge-1", "SIN", started["target"])
    await report(client, "edge-2", "SIN", started["base"])
    await report(client, "edge-3", "FRA", started["base"])
    await client.put(f"{ROOT}/followers/replica", json={"revision": 1})
    shown = (await client.get(f"{ROOT}/rollout")).json()["result"]
    nodes = {
        node["name"]: (node["stage"], node["allowed"], node["applied"]) for node in shown["nodes"]
    }
    low, high = started["base"], started["target"]
    assert nodes == {"edge-1": (1, high, high), "edge-2": (1, high, low), "edge-3": (2, low, low)}
    assert [(w["nodes"], w["there"]) for w in shown["stages"]] == [(2, 1), (1, 1), (0, 0), (0, 0)]


async def test_only_operators_and_nodes_can_delay_a_rollout(
    client: httpx.AsyncClient,
) -> None:
    read = [{"id": "82e64a83756745bbbb1c9c2701bf816b"}]
    allow = {"effect": "allow", "resources": {f"com.cloudflare.api.account.zone.{DEV_ID}": "*"}}
    body = {"name": "reader", "policies": [{**allow, "permission_groups": read}]}
    answer = await client.post("http://testserver/client/v4/user/tokens", json=body)
    reader = {"Authorization": f"Bearer {answer.json()['result']['value']}"}
    url = f"{ROOT}/followers/edge-9"
    for report, status in (({}, 200), ({"colo": "SIN"}, 403), ({"applied": 0}, 403)):
        sent = await client.put(url, json={"revision": 1, **report}, headers=reader)
        assert sent.status_code == status, sent.text


@pytest.mark.parametrize("colo", ["sin", "S", "SIN\n", "S N", "A" * 11])
async def test_a_node_reports_its_colo_by_code(client: httpx.AsyncClient, colo: str) -> None:
    answer = await client.put(f"{ROOT}/followers/edge-1", json={"revision": 1, "colo": colo})
    assert answer.status_code == 400
    assert (await client.get(f"{ROOT}/followers")).json()["result"] == []


async def test_a_rollout_without_changes_is_refused(client: httpx.AsyncClient) -> None:
    assert (await step(client, "start", stages=STAGES))[0] == 409
    base = (await step(client, "hold"))["base"]
    refused = await step(client, "start", stages=STAGES)
    assert refused == (409, f"nothing was changed after revision {base}")
    answer = await client.put(f"{ROOT}/latencies", json=[])
    assert answer.status_code == 200
    await put(client)
    assert (await step(client, "start", stages=STAGES))["state"] == "running"


async def test_an_earlier_revision_can_be_the_base(client: httpx.AsyncClient) -> None:
    await put(client)
    base = await revision(client)
    await put(client, region="us-west-2")
    started = await step(client, "start", stages="100%", base=base)
    assert (started["base"], started["target"]) == (base, base + 1)


async def test_stages_can_name_a_colo_that_only_nodes_have(
    client: httpx.AsyncClient,
) -> None:
    await step(client, "hold")
    await put(client)
    status, message = await step(client, "start", stages="EDGE7,100%")
    assert (status, "'EDGE7': no such colo in the topology or on a node" in message) == (400, True)
    await report(client, "edge-7", "EDGE7", 1)
    assert (await step(client, "start", stages="EDGE7,100%"))["state"] == "running"


async def test_a_stopped_rollout_passes_its_base_to_the_next_one(client: httpx.AsyncClient) -> None:
    base = (await step(client, "hold"))["base"]
    await put(client)
    await step(client, "start", stages=STAGES)
    stopped = await step(client, "abort", why="too slow")
    assert (stopped["state"], stopped["why"]) == ("aborted", "too slow")
    await put(client, "192.0.2.2")
    again = await step(client, "start", stages=STAGES)
    assert (again["number"], again["base"], again["changes"]) == (2, base, 2)


async def test_the_kill_switch_needs_no_rollout(client: httpx.AsyncClient) -> None:
    assert await step(client, "kill") == (
        409,
        "there is no rollout: name the revision to go back to",
    )
    await put(client)
    base = await revision(client)
    killed = await step(client, "kill", base=base - 1, why="wrong colo")
    assert (killed["state"], killed["base"], killed["why"]) == ("killed", base - 1, "wrong colo")


async def test_a_base_that_is_in_the_future_is_refused(
    client: httpx.AsyncClient,
) -> None:
    for name, members in (("hold", {}), ("start", {"stages": STAGES}), ("kill", {})):
        refused = await step(client, name, base=99, **members)
        assert refused == (400, "revision 99 has not been reached")


async def test_a_finish_releases_no_unchecked_changes(client: httpx.AsyncClient) -> None:
    await step(client, "hold")
    await put(client)
    seen = (await step(client, "start", stages="100%"))["revision"]
    await put(client, region="us-west-2")
    status, said = await step(client, "finish", revision=seen)
    assert (status, f"is newer than {seen}" in said) == (409, True)
    shown = (await client.get(f"{ROOT}/rollout")).json()["result"]
    assert (shown["state"], shown["later"]) == ("running", 1)
    assert (await step(client, "finish", revision=shown["revision"]))["state"] == "done"


async def test_a_step_meant_for_another_rollout_is_refused(client: httpx.AsyncClient) -> None:
    held = await step(client, "hold")
    refused = await step(client, "finish", number=held["number"] + 1)
    assert refused == (409, "rollout 2 has been replaced by another one")


@pytest.mark.parametrize(
    "body",
    [
        {"step": "explode"},
        {"step": "hold", "stages": "100%"},
        {"step": "start"},
        {"step": "halt"},
        {"step": "advance", "stage": 0},
        {"step": "kill", "base": -1},
        {"step": "kill", "why": "x" * 501},
    ],
)
async def test_invalid_input_is_refused(client: httpx.AsyncClient, body: Any) -> None:
    answer = await client.post(f"{ROOT}/rollout", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, 10400)


async def test_a_snapshot_has_the_history_since_the_base(client: httpx.AsyncClient) -> None:
    await put(client)
    base = (await step(client, "hold"))["base"]
    await put(client, region="us-west-2")
    parameters = {"whole": "true", "history": "true"}
    lines = (await client.get(f"{ROOT}/snapshot", params=parameters)).text.splitlines()
    changes = [line for line in lines if line.startswith('{"changes"')]
    assert len(changes) == 1
    assert f'"revision":{base + 1},' in changes[0]
    assert f'"revision":{base},' not in changes[0]
    await step(client, "finish")
    answer = await client.get(f"{ROOT}/snapshot", params=parameters)
    assert '{"changes"' not in answer.text


async def test_a_snapshot_with_history_requires_the_argument_whole(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get(f"{ROOT}/snapshot", params={"history": "true"})
    assert answer.status_code == 400


async def test_a_rollout_is_only_in_the_feed_of_replicas(client: httpx.AsyncClient) -> None:
    before = await revision(client)
    await step(client, "kill", base=before, why="nginx -t: somebody-elses-zone.example")

    async def seen(**arguments: str) -> list[Any]:
        since = {"since": str(before), **arguments}
        result = (await client.get(f"{ROOT}/changes", params=since)).json()["result"]
        assert result["revision"] == before + 1
        return [change["after"]["state"] for change in result["changes"]]

    assert (await seen(), await seen(whole="true")) == ([], ["killed"])

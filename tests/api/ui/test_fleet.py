"""The fleet: what nodes serve, and the steps of a rollout with their forms."""

from typing import Any

import httpx
import pytest

from tests.api.ui.conftest import Visitor, words
from tests.api.ui.tables import row_of

BEARER = {"Authorization": "Bearer secret-all"}
OWN = "http://testserver/originmap/v1"


async def _api(visitor: Visitor, method: str, path: str, body: Any) -> Any:
    answer = await visitor.client.request(method, OWN + path, headers=BEARER, json=body)
    assert answer.status_code == 200
    return answer.json()["result"]


async def _revision(visitor: Visitor) -> int:
    answer = await visitor.client.get(f"{OWN}/changes", headers=BEARER)
    revision: int = answer.json()["result"]["revision"]
    return revision


async def _report(visitor: Visitor, name: str, applied: int, problem: str = "") -> None:
    report = {"revision": applied, "applied": applied, "serves": "nginx", "colo": "SIN"}
    await _api(visitor, "PUT", f"/followers/{name}", report | {"problem": problem})


async def _change(visitor: Visitor) -> None:
    state = {"draining": "active"}.get(await _state_of_iad(visitor), "draining")
    await _api(visitor, "PATCH", "/topology", {"states": {"IAD": state}})


async def _state_of_iad(visitor: Visitor) -> str:
    topology = (await visitor.client.get(f"{OWN}/topology", headers=BEARER)).json()["result"]
    state: str = next(colo["state"] for colo in topology["colos"] if colo["code"] == "IAD")
    return state


async def _step(visitor: Visitor, step: str, **fields: str) -> httpx.Response:
    await visitor.get("/fleet")
    return await visitor.post("/fleet/rollout", step=step, **fields)


async def test_without_followers_the_page_says_how_to_start_one(operator: Visitor) -> None:
    page = words(await operator.get("/fleet"))
    assert "No node or replica has followed this server" in page
    assert "There was no rollout yet" in page


async def test_nodes_are_listed_with_the_worst_first(operator: Visitor) -> None:
    newest = await _revision(operator)
    await _report(operator, "a-good", newest)
    await _report(operator, "b-behind", newest - 1)
    await _report(operator, "c-broken", newest - 1, "<b>nginx -t</b> failed")
    page = await operator.get("/fleet")
    assert "3 nodes and replicas: 1 with a problem, 1 behind, 1 up to date." in words(page)
    names = [page.text.index(name) for name in ("c-broken", "b-behind", "a-good")]
    assert names == sorted(names)
    assert "&lt;b&gt;nginx -t&lt;/b&gt; failed" in page.text
    assert row_of(page, "b-behind").startswith(f"b-behind nginx SIN behind {newest - 1}")
    only = words(await operator.get("/fleet?q=GOOD"))
    assert "a-good" in only
    assert "c-broken" not in only
    assert "“x” in its name or colo" in words(await operator.get("/fleet?q=x"))


async def test_a_rollout_from_hold_to_finish(operator: Visitor) -> None:
    held = await _step(operator, "hold")
    assert "The rollout is held." in words(held)
    base = await _revision(operator) - 1
    await _change(operator)
    await _report(operator, "sin-1", base)
    started = await _step(operator, "start", stages="SIN, 100%")
    assert "Rollout 1 is running, 1 of 2 stages released." in words(started)
    assert row_of(started, "1") == "1 SIN yes 0 of 1"
    assert "Advance to stage 2: 100%" in words(started)
    paused = await _step(operator, "pause", why="<i>looks</i> odd")
    assert "&lt;i&gt;looks&lt;/i&gt; odd" in paused.text
    await _step(operator, "resume")
    advanced = await _step(operator, "advance", stage="2")
    assert "2 of 2 stages released" in words(advanced)
    assert "Advance" not in words(advanced)
    assert "The rollout is done." in words(await _step(operator, "finish"))


async def test_a_rollout_is_aborted_with_a_reason(operator: Visitor) -> None:
    await _step(operator, "hold")
    await _change(operator)
    await _step(operator, "start", stages="100%")
    aborted = words(await _step(operator, "abort", why="too many misses"))
    assert "aborted : too many misses" in aborted
    assert "Finish: every node follows the newest revision" in aborted


@pytest.mark.parametrize(
    ("step", "fields", "problem"),
    [
        ("advance", {}, "there is no rollout"),
        ("start", {"stages": "XXX", "base": "1"}, "no such colo"),
        ("start", {"stages": "100%", "base": "first"}, "base 'first': write a number."),
        ("jump", {}, "Invalid value 'jump'"),
    ],
)
async def test_a_step_that_is_refused_says_why_on_the_page(
    operator: Visitor, step: str, fields: dict[str, str], problem: str
) -> None:
    page = await _step(operator, step, **fields)
    assert page.status_code >= 400
    assert problem in words(page)
    assert "<h1>Fleet</h1>" in page.text


async def test_a_step_from_an_older_page_is_refused(operator: Visitor) -> None:
    for _ in range(2):
        await _step(operator, "hold")
        await _step(operator, "finish")
    late = await _step(operator, "hold", number="1")
    assert late.status_code == 409


async def test_only_operators_see_the_fleet(reader: Visitor) -> None:
    assert "/ui/fleet" not in (await reader.get("/zones")).text
    page = await reader.get("/fleet")
    assert page.status_code == 403
    assert "does not have the permission" in words(page)
    assert (await reader.post("/fleet/rollout", step="hold")).status_code == 403

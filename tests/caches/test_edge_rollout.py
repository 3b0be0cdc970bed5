"""Changes released in stages, to a real agent and its cache; nginx represents all caches."""

import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.caches.node import Visitor, listed
from tests.caches.primary import NEAR_FRA, put
from tests.caches.programs.nginx import Nginx
from tests.caches.site import Site
from tests.process import BEARER, COMMAND, TOKEN


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(tmp_path_factory.mktemp("site"), Nginx) as site:
        yield site


@pytest.fixture
def site(running: Site) -> Iterator[Site]:
    running.refresh()
    yield running
    if now(running)["state"] != "done":
        step(running, "finish")


def step(site: Site, name: str, **members: Any) -> None:
    url = f"{site.server.url}/originmap/v1/rollout"
    answer = httpx.post(url, json={"step": name, **members}, headers=BEARER)
    assert answer.status_code == 200, answer.text


def now(site: Site) -> Any:
    answer = httpx.get(f"{site.server.url}/originmap/v1/rollout", headers=BEARER)
    return answer.json()["result"]


def serves(site: Site, revision: int) -> None:
    """Wait until the cache serves a revision, and the node has the newest one."""

    def told() -> bool:
        row = listed(site.server, site.edge.name)
        there = now(site)["revision"]
        return (row["applied"], row["revision"], row["problem"]) == (revision, there, "")

    site.edge.waits_for(told, f"revision {revision}")


def held(site: Site) -> int:
    """Hold the node and move the origin; return the revision of the hold."""
    step(site, "hold")
    base: int = now(site)["base"]
    serves(site, base)
    put(site.server, NEAR_FRA)
    serves(site, base)
    site.cache.comes_to("IAD")
    return base


def test_a_change_waits_for_its_stage_and_every_node_can_be_rolled_back(site: Site) -> None:
    with Visitor(site.cache) as visitor:
        base = held(site)
        step(site, "start", stages="IAD,SIN,100%")
        serves(site, base)  # the stage of another colo
        step(site, "advance")
        serves(site, now(site)["target"])
        site.cache.comes_to("FRA")
        step(site, "kill")
        serves(site, base)
        site.cache.comes_to("IAD")
        step(site, "finish")
        site.edge.serves_all(site.server)
        site.cache.comes_to("FRA")
    assert visitor.failed == 0


def test_held_back_changes_are_not_loaded(site: Site) -> None:
    loaded = site.edge.said("up to date")
    base = held(site)
    for n in range(20):
        put(site.server, NEAR_FRA, f"198.51.100.{n}")
    serves(site, base)
    assert site.edge.said("up to date") == loaded


def test_a_node_that_starts_during_a_rollout_is_held_too(site: Site) -> None:
    base = held(site)
    assert site.edge.stop() == 0
    shutil.rmtree(site.edge.state)
    started_again(site)
    serves(site, base)
    site.server.kill()
    assert site.edge.stop() == 0
    started_again(site)
    site.server = site.serve()


def test_once_reports_the_served_revision(site: Site) -> None:
    base = held(site)
    assert site.edge.stop() == 0
    done = site.edge.run("--once")
    assert (done.returncode, done.stdout) == (0, f"nginx: nothing to do, revision {base}\n")
    site.edge.start()


def started_again(site: Site) -> None:
    """Start the agent with a modified file, and wait until it is restored."""
    before = site.file.read_text()
    site.file.write_text("upstream")
    site.edge.start()
    site.edge.waits_for(lambda: site.file.read_text() == before, "the file")


@pytest.mark.parametrize(("health", "ends", "colo"), [("true", 0, "FRA"), ("false", 1, "IAD")])
def test_a_conductor_releases_healthy_stages_and_rolls_back_unhealthy_ones(
    site: Site, health: str, ends: int, colo: str
) -> None:
    held(site)
    done = subprocess.run(
        [
            COMMAND, "rollout", "start", "--stages", "SIN,100%", "--hold", "0s", "--health", health,
            "--server", site.server.url,
        ],
        capture_output=True,
        text=True,
        env={**site.edge.environment, "ORIGINMAP_TOKEN": TOKEN},
        timeout=60,
    )  # fmt: skip
    assert done.returncode == ends, done.stdout + done.stderr
    site.cache.comes_to(colo)

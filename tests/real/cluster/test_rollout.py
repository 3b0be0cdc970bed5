"""Rollouts with a real server, real conductors, and nodes that follow it over HTTP."""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from originmap.cli.commands.rollout import command
from originmap.domain.errors import OriginmapError
from tests.process import BEARER, COMMAND, TOKEN, Server
from tests.real.cluster.fleet import free_port, until
from tests.real.command import output, refusal, run
from tests.real.node import Node

IP = "192.0.2.1"
OLD, NEW = {IP: "us-east-1"}, {IP: "us-west-2"}
STAGES = ("--stages", "SIN,FRA,100%")


class World:
    """A server with a mapping, and three nodes in two colos that serve it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.db = str(folder / "dev.db")
        self.port = str(free_port())
        self.nodes = [Node("edge-1", "SIN"), Node("edge-2", "SIN"), Node("edge-3", "FRA")]
        self.server = self.start()
        self.put("us-east-1")

    def start(self) -> Server:
        self.server = Server(self.db, self.folder, "dev", ["--port", self.port])
        return self.server

    def put(self, region: str) -> None:
        body = {"origin_ip": IP, "vendor": "aws", "region": region}
        answer = httpx.put(f"{self.server.mappings}/{IP}", json=body, headers=BEARER)
        assert answer.status_code == 200, answer.text

    def rollout(self) -> Any:
        answer = httpx.get(f"{self.server.url}/originmap/v1/rollout", headers=BEARER)
        return answer.json()["result"]

    def step(self, name: str, **members: str) -> None:
        """Changes by another client."""
        url, body = f"{self.server.url}/originmap/v1/rollout", {"step": name, **members}
        answer = httpx.post(url, json=body, headers=BEARER)
        assert answer.status_code == 200, answer.text

    def hold_and_change(self) -> None:
        self.step("hold")
        self.put("us-west-2")

    async def serve(self, *regions: dict[str, str]) -> None:
        """Wait until the nodes, in order, serve these values."""

        async def so() -> bool:
            return [node.serves for node in self.nodes] == list(regions)

        await until(so, f"the nodes to serve {regions}")

    async def reported(self) -> None:
        """Wait until every node has reported to the server."""

        async def so() -> bool:
            answer = httpx.get(f"{self.server.url}/originmap/v1/followers", headers=BEARER)
            found = {f["name"] for f in answer.json()["result"] if f["colo"]}
            return found >= {node.name for node in self.nodes}

        await until(so, "the nodes to report")

    @contextlib.asynccontextmanager
    async def conductor(self, *args: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """`originmap rollout` with arguments, running in the background."""
        process = await asyncio.create_subprocess_exec(
            COMMAND, "rollout", *args,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def ended(process: asyncio.subprocess.Process) -> tuple[int | None, str]:
    """The exit status of a command, and its output."""
    async with asyncio.timeout(20):
        out, err = await process.communicate()
    return process.returncode, out.decode() + err.decode()


def script(folder: Path, text: str) -> str:
    """A health command."""
    path = folder / "health"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.server.kill()


@pytest.fixture
async def fleet(world: World) -> AsyncIterator[World]:
    async with contextlib.AsyncExitStack() as stack:
        for node in world.nodes:
            await stack.enter_async_context(node.at_work(world.server.url, TOKEN))
        await world.serve(OLD, OLD, OLD)
        await world.reported()
        yield world


async def test_a_change_reaches_its_nodes_stage_by_stage(fleet: World) -> None:
    fleet.hold_and_change()
    await asyncio.sleep(0.3)
    await fleet.serve(OLD, OLD, OLD)
    seen = fleet.folder / "seen"
    told = "$ORIGINMAP_STAGE $ORIGINMAP_REVISION $ORIGINMAP_COLOS"
    health = script(fleet.folder, f'echo "{told}" >> {seen}')
    how = ("--hold", "0.1s", "--health", health, "--db", fleet.db)
    async with fleet.conductor("start", *STAGES, *how) as conductor:
        status, said = await ended(conductor)
    assert status == 0, said
    assert "stage 1 of 3 (SIN)" in said
    target = fleet.rollout()["target"]
    lines = [f"1 {target} SIN", f"2 {target} FRA SIN", f"3 {target} FRA SIN"]
    assert list(dict.fromkeys(seen.read_text().splitlines())) == lines
    assert fleet.rollout()["state"] == "done"
    await fleet.serve(NEW, NEW, NEW)


async def test_an_unhealthy_stage_rolls_every_node_back(fleet: World) -> None:
    fleet.hold_and_change()
    health = script(fleet.folder, 'echo "5xx at $ORIGINMAP_COLOS"; [ "$ORIGINMAP_STAGE" = 1 ]')
    how = ("--hold", "0", "--health", health, "--server", fleet.server.url)
    token = {**os.environ, "ORIGINMAP_TOKEN": TOKEN}
    done = await asyncio.to_thread(run, "rollout", "start", *STAGES, *how, env=token)
    assert done.returncode == 1
    assert (
        "halted in stage 2: the health command exited with status 1: 5xx at FRA SIN" in done.stderr
    )
    await fleet.serve(OLD, OLD, OLD)
    shown = fleet.rollout()
    assert (shown["state"], shown["why"].startswith("the health command")) == ("halted", True)
    text = output("rollout", "status", "--db", fleet.db)
    assert f"originmap rollback ZONE --to {shown['base']}" in text
    assert "edge-3" in text
    fleet.step("finish")
    await fleet.serve(NEW, NEW, NEW)


async def test_a_node_that_does_not_take_its_revision_halts_the_rollout(fleet: World) -> None:
    fleet.hold_and_change()
    fleet.nodes[1].stuck = True
    how = ("--hold", "0", "--patience", "0.5s", "--db", fleet.db)
    async with fleet.conductor("start", *STAGES, *how) as conductor:
        status, said = await ended(conductor)
    assert (status, "edge-2: nginx -t failed" in said) == (1, True), said
    await fleet.serve(OLD, OLD, OLD)


async def test_a_node_that_starts_to_report_later_must_also_reach_the_target(fleet: World) -> None:
    fleet.hold_and_change()
    how = ("--hold", "1h", "--patience", "0.5s", "--db", fleet.db)
    async with fleet.conductor("start", *STAGES, *how) as conductor:
        await fleet.serve(NEW, NEW, OLD)
        late = Node("edge-4", "SIN")
        late.stuck = True
        async with late.at_work(fleet.server.url, TOKEN):
            status, said = await ended(conductor)
    assert (status, "edge-4: nginx -t failed" in said) == (1, True), said


async def test_a_killed_conductor_leaves_the_rollout_at_its_stage(fleet: World) -> None:
    fleet.hold_and_change()
    async with fleet.conductor("start", *STAGES, "--hold", "1h", "--db", fleet.db) as conductor:
        await fleet.serve(NEW, NEW, OLD)
        conductor.send_signal(signal.SIGKILL)
        await conductor.wait()
    await fleet.serve(NEW, NEW, OLD)
    async with fleet.conductor("resume", "--hold", "0", "--db", fleet.db) as conductor:
        status, said = await ended(conductor)
    assert status == 0, said
    await fleet.serve(NEW, NEW, NEW)


async def test_nodes_can_go_back_to_a_revision_before_their_first(fleet: World) -> None:
    fleet.step("hold")
    base = fleet.rollout()["base"]
    fleet.step("finish")
    fleet.put("us-west-2")
    late = Node("edge-4", "FRA")
    async with late.at_work(fleet.server.url, TOKEN):
        fleet.nodes.append(late)
        await fleet.serve(NEW, NEW, NEW, NEW)
        output("rollout", "kill", "--to", str(base), "--db", fleet.db)
        await fleet.serve(OLD, OLD, OLD, OLD)


async def test_others_can_pause_advance_and_kill_during_a_rollout(fleet: World) -> None:
    fleet.hold_and_change()
    async with fleet.conductor("start", *STAGES, "--hold", "1h", "--db", fleet.db) as conductor:
        await fleet.serve(NEW, NEW, OLD)
        fleet.step("pause")
        late = Node("edge-4", "FRA")
        async with late.at_work(fleet.server.url, TOKEN):
            fleet.nodes.append(late)  # the node has no data of its own, and must serve the base
            await fleet.serve(NEW, NEW, OLD, OLD)
            output("rollout", "resume", "--by-hand", "--db", fleet.db)
            fleet.step("advance")
            await fleet.serve(NEW, NEW, NEW, NEW)
            output("rollout", "kill", "--why", "wrong colo", "--db", fleet.db)
            await fleet.serve(OLD, OLD, OLD, OLD)
            status, said = await ended(conductor)
            assert (status, "another operator set the rollout to killed: wrong colo" in said) == (
                1,
                True,
            ), said


async def test_later_changes_wait_after_the_last_stage(fleet: World) -> None:
    fleet.hold_and_change()
    fleet.step("start", stages="100%")
    await fleet.serve(NEW, NEW, NEW)
    fleet.put("us-east-1")
    async with fleet.conductor("resume", "--hold", "0", "--db", fleet.db) as conductor:
        status, said = await ended(conductor)
    assert (status, "1 change is made after the start" in said) == (0, True), said
    await fleet.serve(NEW, NEW, NEW)
    fleet.step("finish")
    await fleet.serve(OLD, OLD, OLD)


def test_a_rollout_does_not_start_without_its_health_program(world: World) -> None:
    world.hold_and_change()
    args = ("rollout", "start", *STAGES, "--db", world.db)
    said = refusal(*args, "--health", "/nowhere/check", status=2)
    assert "there is no program '/nowhere/check'" in said
    assert world.rollout()["state"] == "held"


def by_hand(world: World, *args: str) -> str:
    """The stdout or the stderr of a command."""
    shown = CliRunner().invoke(command, [*args, "--db", world.db])
    return str(shown.exception) if isinstance(shown.exception, OriginmapError) else shown.output


def test_each_step_has_a_command(world: World) -> None:
    assert "there was no rollout" in by_hand(world, "status")
    assert "every node stays at revision" in by_hand(world, "hold")
    world.put("us-west-2")
    started = by_hand(world, "start", "--stages", "SIN,100%", "--by-hand")
    assert "rollout 1 is running" in started
    assert "rollout 1 is running" in by_hand(world, "advance")
    assert "every stage is released" in by_hand(world, "advance")
    assert "rollout 1 is paused" in by_hand(world, "pause", "--why", "lunch")
    assert "why: lunch" in by_hand(world, "status")
    aborted = by_hand(world, "abort")
    assert "1 change is still in the database, but not served" in aborted
    assert "rollout 1 is done" in by_hand(world, "finish", "--yes")
    assert "rollout 2 is killed" in by_hand(world, "kill", "--to", "1")
    shown = json.loads(by_hand(world, "status", "--json"))
    assert (shown["number"], shown["base"], shown["by"]) == (2, 1, "cli")


def test_a_stage_without_nodes_is_released_only_if_it_is_named(world: World) -> None:
    by_hand(world, "hold")
    world.put("us-west-2")
    passed = ("--allow-empty", "sin", "--allow-empty", "100%", "--allow-lost", "edge-9")
    by_hand(world, "start", "--stages", "SIN,100%", "--by-hand")
    assert "no node of SIN reports (stage 1: SIN)" in by_hand(world, "status")
    assert "rollout 1 is done" in by_hand(world, "resume", "--hold", "0", *passed)


def test_the_server_must_be_given() -> None:
    runner = CliRunner()
    for args, said in (
        ([], "give --db on the server's own machine, --server, or name a server for good"),
        (["--server", "http://192.0.2.1:8787"], "--server needs a token"),
        (
            ["--server", "http://192.0.2.1:8787", "--db", "x.db"],
            "give one of --db, --server and --context",
        ),
        (["--server", "192.0.2.1"], "a URL is like http://192.0.2.1:8787"),
    ):
        env = {"ORIGINMAP_TOKEN": "", "XDG_CONFIG_HOME": "/nowhere"}
        shown = runner.invoke(command, ["status", *args], env=env)
        assert (shown.exit_code, said in shown.output) == (2, True), shown.output


def test_each_error_has_its_own_hint(tmp_path: Path) -> None:
    with Server(str(tmp_path / "dev.db"), tmp_path) as server:
        asked = ("rollout", "status", "--server", server.url)
        assert "--access everything" in refusal(*asked, env={"ORIGINMAP_TOKEN": "wrong"})
        elsewhere = (*asked[:-1], f"{server.url}/client/v4")
        assert "without /client/v4" in refusal(*elsewhere, env={"ORIGINMAP_TOKEN": TOKEN})
        kill = ("rollout", "kill", "--to", "9999", "--server", server.url)
        said = refusal(*kill, env={"ORIGINMAP_TOKEN": TOKEN})
        assert "has not been reached" in said
        assert "--access" not in said
    said = refusal(*asked, env={"ORIGINMAP_TOKEN": TOKEN})
    assert "waiting 2 s: " in said
    assert "check that it is running" in said

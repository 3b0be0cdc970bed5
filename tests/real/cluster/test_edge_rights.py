"""Real nodes with edge tokens: the data on their disks, and their reports."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import httpx

from originmap.domain.access.token import hash_secret
from tests.process import COMMAND, Server
from tests.real.cluster.fleet import PATIENCE, Primary, originmap, ready, until


class Node:
    """`originmap edge` with a separate state folder; a context manager."""

    def __init__(self, primary: Primary, token: str, colo: str = "SIN") -> None:
        self._url, self.token = primary.url, token
        self.folder = primary.folder / "node"
        self.folder.mkdir(exist_ok=True)
        self.state, self.file = self.folder / "state", self.folder / "nginx.conf"
        self._log = self.folder / "log"
        self._colo = colo

    def arguments(self) -> list[str]:
        return [
            COMMAND, "edge", "--follow", self._url, "--colo", self._colo, "--name", "sin-1",
            "--state", str(self.state), "--write", f"nginx={self.file}", "--no-check",
            "--upstream", "{colo}.example:80", "--interval", "0.1",
        ]  # fmt: skip

    def __enter__(self) -> "Node":
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self.arguments(), stdout=log, stderr=log,
                env={**os.environ, "ORIGINMAP_TOKEN": self.token},
            )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        self._process.wait(PATIENCE)

    def log(self) -> str:
        return self._log.read_text()

    def keeps(self, *secrets: str) -> list[str]:
        """The given values that occur in any file of the state folder."""
        content = b""
        for path in self.state.rglob("*"):
            with contextlib.suppress(FileNotFoundError, IsADirectoryError):  # a temporary file
                content += path.read_bytes()
        assert content
        return [secret for secret in secrets if secret.encode() in content]


async def _user(client: httpx.AsyncClient) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get("/client/v4/user")).json()["result"]
    return found


async def _followers(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await client.get("/originmap/v1/followers")).json()["result"]
    return found


async def _reached(client: httpx.AsyncClient) -> None:
    """Wait until the node has the primary's current revision."""
    start = (await client.get("/originmap/v1/snapshot")).text.split("\n")[0]
    expected = json.loads(start)["revision"]

    async def there() -> bool:
        return any(follower["revision"] >= expected for follower in await _followers(client))

    await until(there, f"revision {expected} on the node")


async def test_an_edge_node_stores_no_credentials(primary: Primary) -> None:
    token = originmap("token", "create", "sin-1-own-name", "--access", "edge", "--colo", "SIN",
                      "--db", primary.db)  # fmt: skip
    async with primary.client() as client:
        email = (await _user(client))["email"]
        await primary.put(client, "192.0.2.1")
        with Node(primary, token) as node:
            await _reached(client)
            for step in range(3):
                primary.new_token(f"made meanwhile {step}", "read")
                await primary.put(client, f"192.0.2.{step + 2}")
            await _reached(client)
            secrets = (
                email, "sin-1-own-name", "made meanwhile", "replicas", "operator", "127.0.0.1",
                hash_secret(token), hash_secret(primary.token),
            )  # fmt: skip
            assert node.keeps("192.0.2", *secrets) == []
            assert node.keeps("example.com") == ["example.com"]

            async def reported() -> Any:
                return [f for f in await _followers(client) if f["colo"] == "SIN" and not f["lag"]]

            await until(reported, "the node's report")
        assert node.keeps(*secrets) == []
    assert node.log().count("loaded a snapshot") == 1
    assert "full sync" not in node.log()
    assert "--access edge" not in node.log()


async def test_data_of_an_earlier_token_is_removed_from_the_disk(primary: Primary) -> None:
    async with primary.client() as client:
        with Node(primary, primary.token) as node:
            await _reached(client)

            async def advised() -> bool:
                return "--access edge" in node.log()

            await until(advised, "the advice to use an edge token")
        secrets = (hash_secret(primary.token), (await _user(client))["email"])
        assert node.keeps(*secrets) == list(secrets)
        node.token = originmap("token", "create", "sin-1", "--access", "edge", "--db", primary.db)
        with node:

            async def gone() -> bool:
                return not node.keeps(*secrets, "replicas")

            await until(gone, "the credentials to go")
            await _reached(client)
        assert node.keeps(*secrets, "replicas") == []


async def test_a_node_with_a_token_for_another_colo_logs_it(primary: Primary) -> None:
    token = originmap("token", "create", "fra-1", "--access", "edge", "--colo", "FRA",
                      "--db", primary.db)  # fmt: skip
    async with primary.client() as client:
        with Node(primary, token) as node:

            async def refused() -> bool:
                return "not for colo SIN" in node.log()

            await until(refused, "the refused report")
            await _reached(client)
            assert [follower["colo"] for follower in await _followers(client)] == [""]


async def test_a_replica_needs_a_token_to_replicate(primary: Primary, tmp_path: Path) -> None:
    made = originmap("token", "create", "r", "--access", "replicate", "--db", primary.db)
    edge = originmap("token", "create", "e", "--access", "edge", "--db", primary.db)
    follow = ["--follow", primary.url, "--name", "r", "--no-log-requests"]
    server = Server(str(tmp_path / "r.db"), tmp_path, "serve", follow, {"ORIGINMAP_TOKEN": made})
    with server:
        async with primary.client(server.url) as reader:

            async def is_ready() -> bool:
                return bool((await ready(reader)).get("connected"))

            await until(is_ready, "the replica")
            assert (await reader.get("/client/v4/user")).status_code == 200
    server = Server(str(tmp_path / "e.db"), tmp_path, "serve", follow, {"ORIGINMAP_TOKEN": edge})
    with server:
        while "edge form" not in server.log.read_text():
            await asyncio.sleep(0.05)
        assert "--access replicate" in server.log.read_text()
        assert httpx.get(f"{server.url}/readyz").status_code == 503

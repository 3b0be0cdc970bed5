"""A primary and its replicas, as real processes."""

import asyncio
import json
import os
import shutil
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tests import forked
from tests.process import COMMAND, Server

PATIENCE = 60.0
"""Seconds until a waiting test fails."""


class Seed:
    """A database with a zone, and tokens for full access and for replicas."""

    def __init__(self, folder: Path) -> None:
        self.db = str(folder / "primary.db")
        self.zone = originmap("zone", "create", "example.com", "--db", self.db)
        self.token = new_token(self.db, "operator", "everything")
        self.replica_token = new_token(self.db, "replicas", "replicate")


class Primary:
    """The database of a seed and its server. A copy of another folder's seed is the same database
    for replicas.
    """

    def __init__(self, folder: Path, seed: Seed) -> None:
        self.folder = folder
        self.db = str(folder / "primary.db")
        if seed.db != self.db:
            shutil.copy(seed.db, self.db)
        self.zone, self.token, self.replica_token = seed.zone, seed.token, seed.replica_token
        self.port = free_port()
        self.server = self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def new_token(self, name: str, access: str, zone: str = "all") -> str:
        return new_token(self.db, name, access, zone)

    def start(self, *args: str) -> Server:
        self.server = Server(
            self.db, self.folder, "serve", ["--port", str(self.port), "--no-log-requests", *args]
        )
        return self.server

    def replica(self, name: str, url: str | None = None, *args: str) -> Server:
        """A replica of this server, or of the server at `url`."""
        follow = ["--follow", url or self.url, "--name", name, "--no-log-requests", *args]
        db = str(self.folder / f"{name}.db")
        return Server(db, self.folder, "serve", follow, {"ORIGINMAP_TOKEN": self.replica_token})

    def client(self, url: str | None = None, token: str | None = None) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=url or self.url,
            headers={"Authorization": f"Bearer {token or self.token}"},
            timeout=20,
        )

    def path(self, ip: str) -> str:
        return f"/client/v4/zones/{self.zone}/origin/cloud_regions/{ip}"

    async def put(self, client: httpx.AsyncClient, ip: str, region: str = "us-east-1") -> None:
        body = {"origin_ip": ip, "vendor": "aws", "region": region}
        answer = await client.put(self.path(ip), json=body)
        assert answer.status_code == 200, answer.text

    async def put_many(self, client: httpx.AsyncClient, ips: list[str], region: str) -> None:
        body = [{"origin_ip": ip, "vendor": "aws", "region": region} for ip in ips]
        answer = await client.put(self.path("batch"), json=body)
        assert answer.status_code == 200, answer.text


def originmap(*args: str) -> str:
    """The output of the command."""
    done = forked.run([COMMAND, *args], os.environ, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def new_token(db: str, name: str, access: str, zone: str = "all") -> str:
    """The secret of a new token."""
    return originmap("token", "create", name, "--zone", zone, "--access", access, "--db", db)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


async def until(look: Callable[[], Any], what: str) -> Any:
    """Wait until `look`, a coroutine function, returns a true value, and return it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = await look()
        if found:
            return found
        await asyncio.sleep(0.02)
    raise AssertionError(f"timeout while waiting for {what}")


async def state(client: httpx.AsyncClient) -> tuple[int, list[Any]]:
    """The revision and all data of a server, without times."""
    answer = await client.get("/originmap/v1/snapshot", params={"whole": "true"})
    if answer.status_code != 200:
        return -1, []
    start, *rest = [json.loads(line) for line in answer.text.splitlines()]
    mappings: dict[str, list[Any]] = {}
    records = []
    for line in rest[:-1]:
        if "zone_id" in line:
            mappings.setdefault(line["zone_id"], []).extend(line["mappings"])
        else:
            records.append(line)
    records.sort(key=lambda line: (line["kind"], line["id"]))
    return start["revision"], [start["epoch"], records, mappings]


async def same(primary: httpx.AsyncClient, *others: httpx.AsyncClient) -> None:
    """Wait until all have the primary's revision."""
    expected = await state(primary)

    async def equal() -> bool:
        return all([await state(other) == expected for other in others])

    await until(equal, f"revision {expected[0]} everywhere")


async def ready(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.get("/readyz")
    found: dict[str, Any] = answer.json()["result"] or {}
    return found.get("replica", {})


async def logged(server: Server, text: str) -> bool:
    return text in server.log.read_text()

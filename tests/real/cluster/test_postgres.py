"""Several server processes on one PostgreSQL database."""

import asyncio
import contextlib
import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from originmap.domain.mapping.address import text
from originmap.store.memory import MemoryStore
from originmap.store.port import Store
from originmap.store.postgres.store import open_postgres
from tests.postgres import HOW_TO_INSTALL_POOLER, Cluster, Pooler, has_pooler
from tests.process import Server
from tests.real.command import output, refusal, rows, run
from tests.real.events import ACCEPT, Events
from tests.waiting import wait_until


@pytest.fixture
def url(cluster: Cluster) -> str:
    return cluster.new_database()


@pytest.fixture
def nodes(url: str, tmp_path: Path) -> Iterator[list[Server]]:
    """Three servers on one database."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Server(url, tmp_path, "serve")) for _ in range(3)]


def new_token(url: str) -> dict[str, str]:
    """The headers of a client."""
    made = output("token", "create", "deploy", "--zone", "all", "--access", "write", "--db", url)
    return {"Authorization": f"Bearer {made.strip()}"}


def verified(node: Server, headers: dict[str, str]) -> bool:
    """Whether a node accepts a token."""
    return httpx.get(f"{node.api}/user/tokens/verify", headers=headers).status_code == 200


def test_a_write_on_one_node_is_readable_on_another(nodes: list[Server], url: str) -> None:
    zone = output("zone", "create", "example.com", "--db", url).strip()
    headers = new_token(url)
    path = f"/zones/{zone}/origin/cloud_regions/192.0.2.1"
    wait_until(
        lambda: all(httpx.get(n.api + path, headers=headers).status_code == 404 for n in nodes)
    )
    body = {"origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"}
    put = httpx.put(nodes[0].api + path, headers=headers, json=body)
    got = [httpx.get(node.api + path, headers=headers).json()["result"] for node in nodes]
    assert got == [put.json()["result"]] * 3


def test_a_token_revoked_by_the_command_line_stops_on_every_node(
    nodes: list[Server], url: str
) -> None:
    headers = new_token(url)
    assert all(verified(node, headers) for node in nodes)
    output("token", "revoke", rows("token", "list", "--db", url)[0]["id"], "--db", url)
    assert not any(verified(node, headers) for node in nodes)


def test_an_acknowledged_change_of_zones_or_tokens_is_effective_on_every_node(
    nodes: list[Server], url: str
) -> None:
    made = output(
        "token", "create", "admin", "--zone", "all", "--access", "everything", "--db", url
    )
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(as_admin(node, made.strip())) for node in nodes]
        account = clients[0].get("/accounts").json()["result"][0]["id"]
        groups = clients[0].get(f"/accounts/{account}/tokens/permission_groups").json()["result"]
        group = next(g["id"] for g in groups if g["name"] == "Zone Settings Write")
        resources = {
            f"com.cloudflare.api.account.{account}": {"com.cloudflare.api.account.zone.*": "*"}
        }
        policy = {"effect": "allow", "permission_groups": [{"id": group}], "resources": resources}
        for n in range(40):
            here, *others = clients[n % 3 :] + clients[: n % 3]
            body = {"name": f"{n}.example.com", "account": {"id": account}}
            zone = here.post("/zones", json=body).json()["result"]["id"]
            path = f"/zones/{zone}/origin/cloud_regions"
            assert [other.get(path).status_code for other in others] == [200, 200]
            tokens = f"/accounts/{account}/tokens"
            token = here.post(tokens, json={"name": f"t{n}", "policies": [policy]}).json()["result"]
            headers = {"Authorization": f"Bearer {token['value']}"}
            assert [other.get(path, headers=headers).status_code for other in others] == [200, 200]
            assert here.delete(f"{tokens}/{token['id']}").status_code == 200
            item = {"origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"}
            puts = [other.put(f"{path}/192.0.2.1", headers=headers, json=item) for other in others]
            assert [put.status_code for put in puts] == [401, 401]


def as_admin(node: Server, secret: str) -> httpx.Client:
    return httpx.Client(base_url=node.api, headers={"Authorization": f"Bearer {secret}"})


def test_nodes_that_start_at_the_same_time_share_one_account(nodes: list[Server], url: str) -> None:
    headers = new_token(url)
    wait_until(lambda: verified(nodes[0], headers))
    accounts = httpx.get(f"{nodes[0].api}/accounts", headers=headers)
    assert len(accounts.json()["result"]) == 1


def test_the_database_can_be_set_by_the_environment(url: str) -> None:
    done = run("zone", "create", "example.com", env={"ORIGINMAP_DB": url})
    assert done.returncode == 0
    assert len(rows("zone", "list", "--db", url)) == 1


def test_a_password_is_not_printed(url: str, tmp_path: Path) -> None:
    with Server(url.replace("originmap@", "originmap:s3cret@"), tmp_path, "serve") as server:
        pass
    printed = server.log.read_text() + server.log.with_suffix(".out").read_text()
    assert "originmap:***@" in printed
    assert "s3cret" not in printed


def test_a_server_without_its_database_does_not_start_and_prints_the_reason() -> None:
    message = refusal("serve", "--db", "postgresql://me:s3cret@127.0.0.1:1/x", "--port", "0")
    assert "connection refused" in message
    assert "check that the server is running" in message
    assert "s3cret" not in message


def test_a_server_behind_a_pooler_without_sessions_does_not_start_and_prints_the_remedy(
    cluster: Cluster, url: str
) -> None:
    if not has_pooler():
        assert "CI" not in os.environ, HOW_TO_INSTALL_POOLER
        pytest.skip(HOW_TO_INSTALL_POOLER)
    with Pooler(cluster, "transaction") as pooler:
        through = pooler.url(url).replace("originmap@", "originmap:s3cret@")
        message = refusal("serve", "--db", through, "--port", "0")
    assert "the pooler in front of it is in transaction or statement mode" in message
    assert "set pool_mode = session in PgBouncer, or connect directly to PostgreSQL" in message
    assert "s3cret" not in message


async def test_a_follower_of_three_nodes_under_32_writers_ends_equal_to_the_source(
    nodes: list[Server], url: str
) -> None:
    zones = [output("zone", "create", f"{n}.example.com", "--db", url).strip() for n in range(3)]
    headers = new_token(url)
    wait_until(lambda: all(verified(node, headers) for node in nodes))
    source, copy = await open_postgres(url), MemoryStore()
    await copy.load(source.snapshot())
    seen: list[int] = []
    since, ended = copy.revision, asyncio.Event()

    async def follow() -> None:
        while not ended.is_set() or await source.changes(copy.revision, 1):
            changes = await source.changes(copy.revision, 50)
            seen.extend(change.revision for change in changes)
            await copy.apply(changes)

    follower = asyncio.ensure_future(follow())
    async with httpx.AsyncClient(headers=headers, timeout=30) as client:
        await asyncio.gather(*(write(client, nodes[n % 3], zones, n) for n in range(32)))
    await asyncio.to_thread(output, "zone", "create", "last.example.com", "--db", url)
    ended.set()
    await follower
    assert seen == list(range(since + 1, source.revision + 1))
    assert len(seen) > 32 * 20
    assert await everything(copy) == await everything(source)
    await source.close()


async def test_readers_of_three_nodes_under_32_writers_see_every_revision_once_and_in_order(
    nodes: list[Server], url: str
) -> None:
    """One reader polls, one uses long polls, one uses a stream, each on a different node, and one
    polls all nodes in turn, as through a load balancer.
    """
    zones = [output("zone", "create", f"{n}.example.com", "--db", url).strip() for n in range(3)]
    headers = new_token(url)
    wait_until(lambda: all(verified(node, headers) for node in nodes))
    source = await open_postgres(url)
    since = source.revision
    copies = [Copy(since) for _ in range(4)]
    urls = [f"{node.url}/originmap/v1/changes" for node in nodes]
    async with httpx.AsyncClient(headers=headers, timeout=30) as client:
        readers = [
            asyncio.create_task(reading)
            for reading in (
                poll(copies[0], client, urls[:1], 0),
                poll(copies[1], client, urls[1:2], 10),
                stream(copies[2], client, urls[2]),
                poll(copies[3], client, urls, 0),
            )
        ]
        await asyncio.gather(*(write(client, nodes[n % 3], zones, n) for n in range(32)))
        await source.changes(since, 1)
        end = source.revision
        async with asyncio.timeout(20):
            while any(copy.revision < end for copy in copies):
                assert not any(reader.done() for reader in readers)
                await asyncio.sleep(0.01)
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
    expected = {
        (zone, text(mapping.address)): mapping.place._asdict()
        for zone in zones
        for mapping in (await source.page(zone, 0, 3500)).mappings
    }
    for copy in copies:
        assert copy.seen == list(range(since + 1, end + 1))
        assert copy.mappings == expected
    assert end - since > 32 * 20
    await source.close()


class Copy:
    """The state that a reader computes from the feed."""

    def __init__(self, revision: int) -> None:
        self.revision = revision
        self.seen: list[int] = []
        self.mappings: dict[tuple[str, str], dict[str, str]] = {}

    def take(self, delta: dict[str, Any]) -> None:
        assert (delta["reset"], delta["since"]) == (False, self.revision)
        for change in delta["changes"]:
            self.seen.append(change["revision"])
            key = change["zone_id"], change["id"]
            assert self.mappings.get(key) == change["before"]
            self.mappings.pop(key, None)
            if change["after"]:
                self.mappings[key] = change["after"]
        self.revision = delta["revision"]


async def poll(copy: Copy, client: httpx.AsyncClient, urls: list[str], wait: int) -> None:
    for url in itertools.cycle(urls):
        asked = {"since": copy.revision, "limit": 50, "wait": wait}
        copy.take((await client.get(url, params=asked)).json()["result"])
        await asyncio.sleep(0.005)


async def stream(copy: Copy, client: httpx.AsyncClient, url: str) -> None:
    asked = {"since": copy.revision}
    async with client.stream("GET", url, params=asked, headers=ACCEPT) as answer:
        events = Events(answer)
        while event := await events.next():
            assert event.name in ("changes", "heartbeat")
            if event.name == "changes":
                copy.take(event.data)


async def everything(store: Store) -> list[str]:
    """The content of a store, regardless of the order of zones and records."""
    return sorted([repr(part) async for part in store.snapshot()])


async def write(client: httpx.AsyncClient, node: Server, zones: list[str], writer: int) -> None:
    """Single and batch writes of mappings, in zones with other writers."""
    random = Random(writer)
    for n in range(25):
        path = f"{node.api}/zones/{random.choice(zones)}/origin/cloud_regions"
        ip = f"10.0.{random.randrange(4)}.{random.randrange(8)}"
        item = {"vendor": "aws", "region": random.choice(["us-east-1", "us-west-2"])}
        if n % 5 == 4:
            answer = await client.delete(f"{path}/{ip}")
            assert answer.status_code in (200, 404)
        elif n % 5 == 3:
            batch = [{"origin_ip": f"10.{writer}.0.{k}", **item} for k in range(5)]
            (await client.put(f"{path}/batch", json=batch)).raise_for_status()
        else:
            body = {"origin_ip": ip, **item}
            (await client.put(f"{path}/{ip}", json=body)).raise_for_status()

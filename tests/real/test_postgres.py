"""Several server processes on one PostgreSQL database."""

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.postgres import Cluster
from tests.process import Server
from tests.real.command import output, refusal, rows, run


@pytest.fixture
def url(cluster: Cluster) -> str:
    return cluster.new_database()


@pytest.fixture
def nodes(url: str, tmp_path: Path) -> Iterator[list[Server]]:
    """Three servers on one database."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Server(url, tmp_path, "serve")) for _ in range(3)]


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def new_token(url: str) -> dict[str, str]:
    """The headers of a client."""
    made = output("token", "create", "deploy", "--zone", "all", "--access", "write", "--db", url)
    return {"Authorization": f"Bearer {made.strip()}"}


def test_what_is_written_on_one_node_is_read_on_another(nodes: list[Server], url: str) -> None:
    zone = output("zone", "create", "example.com", "--db", url).strip()
    headers = new_token(url)
    path = f"/zones/{zone}/origin/cloud_regions/192.0.2.1"
    until(lambda: all(httpx.get(n.api + path, headers=headers).status_code == 404 for n in nodes))
    body = {"origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"}
    put = httpx.put(nodes[0].api + path, headers=headers, json=body)
    got = [httpx.get(node.api + path, headers=headers).json()["result"] for node in nodes]
    assert got == [put.json()["result"]] * 3


def test_a_token_revoked_by_the_command_line_stops_on_every_node(
    nodes: list[Server], url: str
) -> None:
    headers = new_token(url)

    def statuses() -> set[int]:
        return {
            httpx.get(f"{node.api}/user/tokens/verify", headers=headers).status_code
            for node in nodes
        }

    until(lambda: statuses() == {200})
    output("token", "revoke", rows("token", "list", "--db", url)[0]["id"], "--db", url)
    until(lambda: statuses() == {401})


def test_nodes_that_start_at_once_share_one_account(nodes: list[Server], url: str) -> None:
    headers = new_token(url)
    accounts = httpx.get(f"{nodes[0].api}/accounts", headers=headers)
    until(lambda: httpx.get(f"{nodes[0].api}/accounts", headers=headers).status_code == 200)
    accounts = httpx.get(f"{nodes[0].api}/accounts", headers=headers)
    assert len(accounts.json()["result"]) == 1


def test_the_database_is_named_by_the_environment_too(url: str) -> None:
    done = run("zone", "create", "example.com", env={"ORIGINMAP_DB": url})
    assert done.returncode == 0
    assert len(rows("zone", "list", "--db", url)) == 1


def test_a_password_is_not_printed(url: str, tmp_path: Path) -> None:
    with Server(url.replace("originmap@", "originmap:s3cret@"), tmp_path, "serve") as server:
        pass
    printed = server.log.read_text() + server.log.with_suffix(".out").read_text()
    assert "originmap:***@" in printed
    assert "s3cret" not in printed


def test_a_server_without_its_database_does_not_start_and_says_why() -> None:
    message = refusal("serve", "--db", "postgresql://me:s3cret@127.0.0.1:1/x", "--port", "0")
    assert "connection refused" in message
    assert "is the server running" in message
    assert "s3cret" not in message

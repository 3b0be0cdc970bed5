"""`originmap xds` as a process of its own, and the server without the extra."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import pytest

from originmap.export.envoy import HOST_TYPE
from tests.caches.network import free_port
from tests.caches.node import edge_token, listed
from tests.caches.primary import NEAR_FRA, put
from tests.process import BEARER, COMMAND, Server, printed
from tests.waiting import until
from tests.xds.node_client import NodeClient, described

_STARTED = re.compile(r"(Originmap xDS on \S+)")


@pytest.fixture
def primary(tmp_path: Path) -> Iterator[Server]:
    with Server(str(tmp_path / "dev.db"), tmp_path, "dev", ["--no-log-requests"]) as server:
        yield server


async def test_a_process_of_its_own_serves_nodes_and_passes_their_reports_on(
    primary: Server, tmp_path: Path
) -> None:
    port, out, log = free_port(), tmp_path / "out", tmp_path / "log"
    token = edge_token(primary, "sin-1")
    environment = {"ORIGINMAP_TOKEN": replica_token(primary), "PYTHONUNBUFFERED": "1"}
    with out.open("wb") as out_file, log.open("wb") as log_file:
        process = subprocess.Popen(
            [COMMAND, "xds", "--follow", primary.url, "--xds", f"127.0.0.1:{port}", "--port", "0",
             "--state", str(tmp_path / "state")],
            env={**os.environ, **environment}, stdout=out_file, stderr=log_file,
        )  # fmt: skip
    try:
        printed(_STARTED, process, out, log)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            await until(lambda: "loaded a snapshot" in log.read_text())
            async with NodeClient(channel, token, described("sin-1")) as node:
                await node.complete()
                put(primary, NEAR_FRA)
                await node.waits_for((HOST_TYPE, ["originmap/example.com"]))

                def reported() -> bool:
                    row = listed(primary, "sin-1")
                    return bool(row) and (row["lag"], row["colo"]) == (0, "SIN")

                await until(reported)
                primary.kill()
            async with NodeClient(channel, token, described("sin-1")) as later:
                await later.complete()
                assert later.hosts() == ["example.com"]
    finally:
        process.terminate()
        assert process.wait(20) == 0, log.read_text()


def replica_token(primary: Server) -> str:
    """A token for a replica."""
    url, body = f"{primary.url}/originmap/v1/tokens", {"name": "xds", "access": "replicate"}
    answer = httpx.post(url, json=body, headers=BEARER, verify=False).raise_for_status()
    secret: str = answer.json()["result"]["secret"]
    return secret


_WITHOUT = """
import sys
from importlib.abc import MetaPathFinder

class Missing(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("grpc", "envoy", "google"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
from originmap.cli.main import main
main()
"""


def test_without_the_extra_the_error_names_it(tmp_path: Path) -> None:
    args = ["serve", "--db", str(tmp_path / "x.db"), "--port", "0", "--xds", "127.0.0.1:18000"]
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT, *args], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert "--xds needs packages that are not installed" in done.stderr
    assert "pip install 'originmap[envoy]'" in done.stderr


def test_without_the_option_nothing_of_grpc_is_loaded() -> None:
    code = (
        "import sys, originmap.bootstrap_server, originmap.bootstrap_xds,"
        " originmap.cli.commands.server.serve, originmap.cli.commands.server.xds;"
        " print(sorted({'grpc', 'google.protobuf', 'envoy'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr

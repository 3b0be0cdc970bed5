"""Servers and commands on a Python without the names that Windows lacks: uvloop, flock, users,
limits, Unix sockets and signals. A real Windows differs further, see docs/platforms.md.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.process import BEARER, TOKEN, ZONE, Server
from tests.real.command import run

LIKE_WINDOWS = Path(__file__).with_name("like_windows")
MAPPING = {"origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"}

FILE = """zones:
  example.com:
    mappings:
      192.0.2.1: aws/us-east-1
      192.0.2.2: aws/us-west-2
"""

COMMANDS = """
zone list
token list
token create node --access edge
resolve example.com 192.0.2.1
topology drain IAD
history example.com
rollback example.com --to 0 --dry-run
followers
rollout status
export nginx --upstream {colo}.example.net:80
"""

PROGRAMS = {
    "every module": """
import importlib, pkgutil, originmap
for module in pkgutil.walk_packages(originmap.__path__, "originmap."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
""",
    "the server for tests": """
from originmap.testing import Server
with Server() as server:
    server.freeze("2026-03-01T12:00:00Z")
    server.reset()
    assert server.mappings() == {}
""",
}
"""Python programs that run to their end."""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The user has a profile folder and no HOME."""
    profile = str(tmp_path_factory.mktemp("profile"))
    return {"PYTHONPATH": str(LIKE_WINDOWS), "USERPROFILE": profile, "HOME": ""}


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    with Server(str(folder / "dev.db"), folder, env=environment) as server:
        answer = httpx.put(f"{server.mappings}/192.0.2.1", json=MAPPING, headers=BEARER)
        assert answer.status_code == 200
        yield server


def database(server: Server) -> Path:
    return server.log.with_name("dev.db")


def test_dev_logs_one_line_about_the_missing_socket(server: Server) -> None:
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    (warning,) = [line for line in lines if line["level"] != "info"]
    assert warning["event"] == "no operator socket"
    assert "--server" in warning["hint"]


@pytest.mark.parametrize("words", COMMANDS.split("\n")[1:-1])
def test_commands_connect_to_a_server(
    server: Server, environment: dict[str, str], words: str
) -> None:
    env = {**environment, "ORIGINMAP_SERVER": server.url, "ORIGINMAP_TOKEN": TOKEN}
    done = run(*words.split(), env=env)
    assert done.returncode == 0, done.stderr


def test_a_plan_is_created_and_applied(
    server: Server, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "mappings.yaml").write_text(FILE)
    env = {**environment, "CLOUDFLARE_API_TOKEN": TOKEN}
    api, plan, dump = ("--api", server.api), tmp_path / "plan.json", tmp_path / "dump.yaml"
    for status, words in (
        (2, ("plan", tmp_path / "mappings.yaml", "--out", plan)),
        (0, ("apply", plan, "--yes")),
        (0, ("drift", tmp_path / "mappings.yaml")),
        (0, ("dump", "--out", dump)),
    ):
        done = run(*words, *api, env=env)
        assert done.returncode == status, done.stderr
    assert "192.0.2.2" in dump.read_text()


def test_a_command_with_the_database_of_a_server_explains_the_alternative(
    server: Server, environment: dict[str, str]
) -> None:
    for words in (("zone", "list"), ("rollout", "start", "--stages", "100%")):
        done = run(*words, "--db", database(server), env=environment)
        assert (done.returncode, done.stdout) == (1, "")
        assert "use --server with the server's URL and a token" in done.stderr


def test_a_database_has_only_one_server(server: Server, environment: dict[str, str]) -> None:
    done = run("dev", "--port", "0", "--db", database(server), env=environment)
    assert done.returncode == 1
    assert "another process owns" in done.stderr


def test_a_production_server_has_the_data_that_commands_wrote(
    environment: dict[str, str], tmp_path: Path
) -> None:
    db = tmp_path / "originmap.db"
    made = run("zone", "create", "example.com", "--db", db, env=environment)
    assert made.returncode == 0, made.stderr
    words = ("token", "create", "ci", "--zone", "all", "--access", "read")
    token = run(*words, "--db", db, env=environment)
    assert token.returncode == 0, token.stderr
    with Server(str(db), tmp_path, "serve", env=environment) as server:
        headers = {"Authorization": f"Bearer {token.stdout.split()[-1]}"}
        (zone,) = httpx.get(f"{server.api}/zones", headers=headers).json()["result"]
    assert zone["name"] == "example.com"
    assert run("zone", "list", "--db", db, env=environment).returncode == 0


def test_files_of_a_user_are_in_the_profile_and_their_mode_is_not_checked(
    server: Server, environment: dict[str, str], tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    add = ("context", "add", "here", server.url, "--token-file", token)
    done = run(*add, env=environment)
    assert done.returncode == 0, done.stderr
    (contexts,) = Path(environment["USERPROFILE"]).rglob("contexts.json")
    contexts.chmod(0o666)  # an encoding of Windows
    assert ZONE in run("zone", "list", env=environment).stdout


def test_the_edge_agent_refuses_to_start(environment: dict[str, str]) -> None:
    words = ("edge", "--follow", "http://127.0.0.1:1", "--write", "json=map.json")
    done = run(*words, env=environment)
    assert done.returncode == 1
    assert done.stderr.startswith("originmap: the edge agent needs Linux or macOS")


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_runs_to_its_end(name: str, environment: dict[str, str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAMS[name]],
        env={**os.environ, **environment},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")

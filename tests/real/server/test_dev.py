"""`originmap dev` and the commands without a database, as in a first session."""

import contextlib
import itertools
import json
import os
import re
import shlex
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.caches.network import free_port
from tests.process import BEARER, COMMAND, EMAIL, KEY, TOKEN, ZONE, Server
from tests.real.command import SECONDS, output, refusal, rows, run

COMMANDS = [
    ("dev",),
    ("serve",),
    ("zone", "create"),
    ("zone", "list"),
    ("token", "create"),
    ("token", "list"),
    ("token", "revoke"),
    ("regions",),
]


def test_dev_refuses_to_listen_publicly_without_a_flag() -> None:
    for host in ("0.0.0.0", "::"):
        message = refusal("dev", "--host", host, "--port", "0", "--db", ":memory:", status=2)
        assert f"{host} can be reached from other machines" in message
        assert "--i-know-this-is-open" in message


def test_dev_can_run_without_credentials() -> None:
    args = ["--host", "0.0.0.0", "--db", ":memory:", "--i-know-this-is-open"]
    with dev(*args) as welcome:
        assert re.search(r"http://0\.0\.0\.0:\d+/client/v4", welcome)


@contextlib.contextmanager
def dev(*args: str, env: Mapping[str, str] | None = None) -> Iterator[str]:
    """Run `originmap dev` with these arguments; return the first printed line, once the server
    responds.
    """
    process = subprocess.Popen(
        [COMMAND, "dev", "--port", str(free_port()), *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **(env or {})},
    )
    try:
        assert process.stdout is not None
        welcome = process.stdout.readline()
        port = welcome.partition("/client")[0].rpartition(":")[2]
        assert httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=SECONDS).status_code == 200
        yield welcome
    finally:
        process.terminate()
        process.communicate(timeout=20)
    assert process.returncode == 0


def test_dev_in_memory_stores_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_STATE_HOME", str(home))
    with Server(":memory:", tmp_path) as server:
        item = {"origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"}
        put = httpx.put(f"{server.mappings}/192.0.2.1", json=item, headers=BEARER)
        assert put.status_code == 200
        assert list(home.iterdir()) == []
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("given", [True, False])
def test_dev_stores_its_data_in_the_state_folder(tmp_path: Path, given: bool) -> None:
    """XDG Base Directory Specification 0.8: a path that is not absolute is ignored."""
    state = tmp_path / "state" if given else tmp_path / ".local" / "state"
    env = {"HOME": str(tmp_path), "XDG_STATE_HOME": str(state) if given else "relative"}
    with dev(env=env) as welcome:
        assert str(state / "originmap" / "dev.db") in welcome
        assert (state / "originmap" / "dev.db").is_file()
    assert (state / "originmap").stat().st_mode & 0o777 == 0o700


def test_the_two_commands_that_dev_prints_work_in_a_shell(tmp_path: Path) -> None:
    with Server(":memory:", tmp_path, args=["--port", str(free_port())]) as server:
        welcome = server.log.with_suffix(".out").read_text()
        put, get = re.findall(r"curl (.*?)(?=\n\n|\Z)", welcome.replace("\\\n", " "), re.S)
        first = send(shlex.split(put))
        second = send(shlex.split(get))
    assert first["result"] == second["result"]
    assert first["result"]["origin_ip"] == "192.0.2.1"


def send(words: list[str]) -> Any:
    """The request that curl would send with these arguments."""
    options = dict(itertools.pairwise(words))
    (url,) = [word for word in words if word.startswith("http")]
    name, value = options["-H"].split(": ")
    body = options.get("-d")
    return (
        httpx.request(options.get("-X", "GET"), url, headers={name: value}, content=body)
        .raise_for_status()
        .json()
    )


def test_the_email_and_key_of_the_reference_are_accepted(tmp_path: Path) -> None:
    with Server(":memory:", tmp_path) as server:
        pair = {"X-Auth-Email": EMAIL, "X-Auth-Key": KEY}
        assert httpx.get(server.mappings, headers=pair).status_code == 200


def test_the_log_of_a_request_is_a_line_of_json_without_the_secret(tmp_path: Path) -> None:
    pair = {"X-Auth-Email": EMAIL, "X-Auth-Key": KEY}
    query = {"token": "a-secret-in-a-query"}
    with Server(str(tmp_path / "dev.db"), tmp_path) as server:
        by_token = httpx.get(server.mappings, headers=BEARER, params=query)
        by_pair = httpx.put(f"{server.mappings}/192.0.2.1", headers=pair, json={})
        unknown = httpx.get(server.mappings, headers={"Authorization": "Bearer " + "x" * 40})
    text = server.log.read_text()
    for secret in (TOKEN, KEY, "x" * 40, "a-secret-in-a-query"):
        assert secret not in text
    lines = {line["ray"]: line for line in map(json.loads, text.splitlines())}
    line = lines[by_token.headers["cf-ray"]]
    assert (line["method"], line["path"]) == ("GET", httpx.URL(server.mappings).path)
    assert (line["status"], line["credential"], line["zone"]) == (200, ZONE, ZONE)
    assert line["client"] == "127.0.0.1"
    assert abs(line["time"] - time.time()) < 60
    assert line["duration_us"] > 0
    assert lines[by_pair.headers["cf-ray"]]["credential"] == ZONE
    assert lines[by_pair.headers["cf-ray"]]["status"] == 400
    assert lines[unknown.headers["cf-ray"]]["status"] == 401
    assert not lines[unknown.headers["cf-ray"]].get("credential")


def test_request_logging_can_be_switched_off(tmp_path: Path) -> None:
    with Server(":memory:", tmp_path, args=["--no-log-requests"]) as server:
        httpx.get(server.mappings, headers=BEARER)
    assert server.log.read_text() == ""


def test_request_ids_contain_the_colo_of_the_node(tmp_path: Path) -> None:
    with Server(str(tmp_path / "s.db"), tmp_path, "serve", ["--colo", "FRA"]) as server:
        ray = httpx.get(f"{server.url}/healthz").headers["cf-ray"]
    assert re.fullmatch(r"[0-9a-f]{16}-FRA", ray)


def test_settings_can_come_from_the_environment(tmp_path: Path) -> None:
    env = {"ORIGINMAP_DB": str(tmp_path / "env.db")}
    done = run("zone", "create", "example.com", env=env)
    assert done.returncode == 0
    assert done.stdout.strip() in output("zone", "list", "--db", tmp_path / "env.db")


def test_regions_are_printed_with_their_upper_tiers() -> None:
    everything = rows("regions")
    assert {row["vendor"] for row in everything} == {"aws", "azure", "gcp", "oci"}
    tiers = {(row["vendor"], row["region"]): row["upper_tiers"] for row in everything}
    assert tiers["aws", "us-east-1"] == ["IAD", "EWR"]
    assert len(output("regions").splitlines()) == 1 + len(everything)


def test_regions_of_one_vendor_are_printed_alone() -> None:
    listed = output("regions", "--vendor", "aws").splitlines()
    assert {line.split()[0] for line in listed[1:]} == {"aws"}
    assert rows("regions", "--vendor", "aws") == [
        row for row in rows("regions") if row["vendor"] == "aws"
    ]


@pytest.mark.parametrize("vendor", ["AWS", "ibm", ""])
def test_an_unknown_vendor_is_refused(vendor: str) -> None:
    message = refusal("regions", "--vendor", vendor, status=2)
    assert f"no vendor {vendor!r}; there are aws, azure, gcp, oci" in message


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_the_help_of_every_command_has_an_example(command: tuple[str, ...]) -> None:
    text = " ".join(output(*command, "--help").split())
    assert f"Example: originmap {' '.join(command)}" in text


def test_the_help_names_every_command() -> None:
    listed = output("--help")
    assert all(f"\n  {command[0]} " in listed for command in COMMANDS)


def test_the_version_is_printed() -> None:
    assert re.fullmatch(r"originmap, version \d+\.\d+\.\d+\n", output("--version"))


@pytest.mark.parametrize(
    "args", [["fly"], ["zone"], ["zone", "fly"], ["dev", "--port", "70000"], ["serve"]]
)
def test_an_invalid_command_line_is_refused_with_usage(args: list[str]) -> None:
    assert "Usage: originmap" in refusal(*args, status=2)


def test_python_can_run_the_package_as_a_module() -> None:
    python = Path(COMMAND).with_name("python")
    done = subprocess.run(
        [python, "-m", "originmap", "--version"], capture_output=True, timeout=SECONDS
    )
    assert done.returncode == 0

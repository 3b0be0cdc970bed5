"""A development server in the background: dev --detach, wait, env, stop."""

import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests import forked
from tests.process import COMMAND, TOKEN, Server

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Runs commands of a user with a separate state folder."""
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path)}

    def run_(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return forked.run([COMMAND, *arguments], environment | variables, timeout=60)

    yield run_
    run_("stop")


def started(run: Run, *arguments: str) -> str:
    result = run("dev", "--detach", "--port", "0", *arguments)
    assert result.returncode == 0, result.stderr
    return result.stdout.split("/client/v4")[0]


def test_a_server_runs_in_the_background_until_it_is_stopped(run: Run) -> None:
    url = started(run, "--db", ":memory:")
    assert run("wait", "--timeout", "5s").returncode == 0
    assert httpx.get(f"{url}/healthz").status_code == 200
    assert run("stop").stdout == f"stopped {url}\n"
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/healthz")


def test_a_second_server_in_the_background_is_refused(run: Run) -> None:
    url = started(run, "--db", ":memory:")
    second = run("dev", "--detach", "--port", "0", "--db", ":memory:")
    assert second.returncode == 2
    assert f"runs in the background already: {url}" in second.stderr
    assert "originmap stop" in second.stderr


def test_a_server_that_cannot_start_prints_the_reason(run: Run, tmp_path: Path) -> None:
    (tmp_path / "broken.db").write_text("not a database, but long enough to be one" * 100)
    result = run("dev", "--detach", "--port", "0", "--db", str(tmp_path / "broken.db"))
    assert result.returncode == 1
    assert "broken.db" in result.stderr
    assert run("stop").returncode == 1


def test_stop_without_a_server_is_an_error(run: Run) -> None:
    result = run("stop")
    assert result.returncode == 1
    assert "no development server runs in the background" in result.stderr
    assert "originmap dev --detach" in result.stderr


def test_stop_after_a_server_has_ended_is_an_error_once(run: Run) -> None:
    url = started(run, "--db", ":memory:")
    assert run("stop", "--url", url).returncode == 0
    assert "no development server" in run("stop").stderr


def test_a_killed_server_is_removed_from_the_state(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "originmap" / "dev.json"
    started(run, "--db", ":memory:")
    state = json.loads(file.read_text())
    run("stop")
    file.write_text(json.dumps(state))
    assert "had stopped already" in run("stop").stderr
    started(run, "--db", ":memory:")


def test_the_environment_is_printed_for_each_shell(run: Run) -> None:
    url = started(run, "--db", ":memory:")
    values = json.loads(run("env", "--format", "json").stdout)
    assert values["CLOUDFLARE_BASE_URL"] == f"{url}/client/v4"
    assert values["CLOUDFLARE_API_TOKEN"] == TOKEN
    printed = run("env").stdout
    shell = f'{printed}\necho "$CLOUDFLARE_BASE_URL ${{CLOUDFLARE_EMAIL-none}}"'
    variables = {**os.environ, "CLOUDFLARE_EMAIL": "x"}
    found = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, env=variables)
    assert found.stdout == f"{url}/client/v4 none\n"
    assert f"set -gx CLOUDFLARE_API_TOKEN {TOKEN}" in run("env", "--format", "fish").stdout
    assert f"$Env:CLOUDFLARE_API_TOKEN = '{TOKEN}'" in run("env", "--format", "powershell").stdout


def test_the_environment_of_a_chosen_server_is_printed(run: Run) -> None:
    printed = run("env", "--url", "http://127.0.0.1:9000").stdout
    assert "export CLOUDFLARE_BASE_URL=http://127.0.0.1:9000/client/v4\n" in printed


def test_wait_returns_once_a_server_is_ready(run: Run, tmp_path: Path) -> None:
    with Server(":memory:", tmp_path) as server:
        port = server.url.rpartition(":")[2]
    waiting = subprocess.Popen([COMMAND, "wait", "--url", f"http://127.0.0.1:{port}"])
    with pytest.raises(subprocess.TimeoutExpired):
        waiting.wait(0.5)
    later = threading.Thread(
        target=run, args=("dev", "--detach", "--db", ":memory:", "--port", port)
    )
    later.start()
    assert waiting.wait(30) == 0
    later.join()


def test_wait_times_out_with_the_reason(run: Run, unused_port: int) -> None:
    result = run("wait", "--url", f"http://127.0.0.1:{unused_port}", "--timeout", "0.2s")
    assert result.returncode == 1
    assert "was not ready within 0.2 s: " in result.stderr
    assert "--timeout waits longer" in result.stderr


@pytest.fixture
def unused_port() -> int:
    import socket

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
    return port


def test_a_free_port_is_printed_as_json(run: Run) -> None:
    process = subprocess.Popen(
        [COMMAND, "dev", "--port", "0", "--db", ":memory:", "--stop-on-eof"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    access = json.loads(process.stdout.readline())
    assert access["base_url"] == f"http://127.0.0.1:{access['port']}/client/v4"
    headers = {"Authorization": f"Bearer {access['token']}"}
    zone = httpx.get(f"{access['base_url']}/zones/{access['zone_id']}", headers=headers)
    assert zone.json()["result"]["name"] == access["zone"]
    process.communicate()
    assert process.returncode in (0, -15)


def test_a_state_is_not_loaded_into_a_database_file(run: Run, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    state.write_text("{}")
    result = run("dev", "--state", str(state), "--db", str(tmp_path / "dev.db"))
    assert result.returncode == 2
    assert "--state would replace everything in" in result.stderr


def test_serve_has_no_control_routes(tmp_path: Path) -> None:
    with Server(str(tmp_path / "serve.db"), tmp_path, "serve") as server:
        for path in ("reset", "state", "faults", "clock", "requests", "fidelity", "strict"):
            for method in ("GET", "POST", "PUT", "DELETE"):
                answer = httpx.request(
                    method,
                    f"{server.url}/originmap/dev/v1/{path}",
                    headers={"Authorization": f"Bearer {TOKEN}"},
                )
                assert answer.status_code == 404
        answer = httpx.get(f"{server.api}/zones", headers={"Authorization": f"Bearer {TOKEN}"})
        assert not any(name.startswith("x-originmap") for name in answer.headers)


def test_control_routes_require_the_token(tmp_path: Path) -> None:
    with Server(":memory:", tmp_path) as server:
        url = f"{server.url}/originmap/dev/v1/reset"
        assert httpx.post(url).status_code == 400
        stranger = {"Authorization": f"Bearer {'x' * 40}"}
        assert httpx.post(url, headers=stranger).status_code == 401
        assert httpx.post(url, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200

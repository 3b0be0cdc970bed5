"""Forked commands behave as started ones do."""

import json
import os
import signal
import subprocess
from pathlib import Path

import httpx
import pytest

from tests import forked
from tests.process import COMMAND

ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "COLUMNS"}


@pytest.mark.parametrize(
    "args",
    ["--version", "regions --vendor oci --json", "zone list --db missing/file.db", "no-command"],
)
def test_status_and_output_are_the_same(args: str, tmp_path: Path) -> None:
    words = [COMMAND, *args.split()]
    started = subprocess.run(words, env=ENVIRONMENT, cwd=tmp_path, capture_output=True, text=True)
    run = forked.run(words, ENVIRONMENT, tmp_path, timeout=60)
    assert (run.returncode, run.stdout) == (started.returncode, started.stdout)
    assert run.stderr == started.stderr


def test_each_has_its_own_environment_and_folder(tmp_path: Path) -> None:
    done = forked.run([COMMAND, "context", "list"], {"HOME": str(tmp_path)}, tmp_path, timeout=60)
    assert done.returncode == 0, done.stderr
    created = [COMMAND, "zone", "create", "example.com", "--db", "here.db"]
    assert forked.run(created, ENVIRONMENT, tmp_path, timeout=60).returncode == 0
    assert (tmp_path / "here.db").exists()


def test_signals_arrive_and_decide_the_status(tmp_path: Path) -> None:
    words = [COMMAND, "dev", "--port", "0", "--db", ":memory:"]
    with (tmp_path / "out").open("w+") as out:
        process = forked.Process(words, out, out, ENVIRONMENT)
        assert process.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.01)
        process.kill()
        assert process.wait(60) == -signal.SIGKILL
        process.send_signal(signal.SIGTERM)  # without effect, as with Popen


def test_a_command_that_takes_too_long_is_killed(tmp_path: Path) -> None:
    db = tmp_path / "dev.db"
    with pytest.raises(subprocess.TimeoutExpired):
        forked.run([COMMAND, "dev", "--port", "0", "--db", str(db)], ENVIRONMENT, timeout=0.5)


def in_shell(line: str, cwd: Path) -> subprocess.Popen[str]:
    environment = {**ENVIRONMENT, "PATH": forked.path()}
    return subprocess.Popen(
        ["bash", "-c", line],
        env=environment,
        cwd=cwd,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_a_command_of_a_shell_is_forked_with_its_folder_files_and_status(tmp_path: Path) -> None:
    made = "originmap zone create a.example --db a.db > /dev/null"
    shown = "originmap x 2>&1; echo $?; originmap zone list --db a.db | wc -l"
    with in_shell(f"{made}; {shown}", tmp_path) as shell:
        *said, status, lines = shell.communicate(timeout=60)[0].splitlines()
    started = subprocess.run([COMMAND, "x"], env=ENVIRONMENT, capture_output=True, text=True)
    assert said == started.stderr.splitlines()
    assert (status, lines.strip()) == (str(started.returncode), "2")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGKILL, -9)])
def test_a_command_of_a_shell_ends_by_a_signal(number: int, status: int, tmp_path: Path) -> None:
    with in_shell("exec originmap dev --port 0 --db :memory:", tmp_path) as shell:
        assert shell.stdout is not None
        url = json.loads(shell.stdout.readline())["url"]
        assert httpx.get(f"{url}/healthz").status_code == 200
        shell.send_signal(number)
        assert shell.wait(60) == status
        assert shell.stdout.read() == ""  # its end: the forked process has ended, too
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/healthz")

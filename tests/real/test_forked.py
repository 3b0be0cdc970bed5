"""Forked commands behave as started ones do."""

import os
import signal
import subprocess
from pathlib import Path

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

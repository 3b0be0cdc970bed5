"""Packages of npm that tests use, installed as locked beside the tests.

Node and npm are no requirement of Originmap: without them these tests are skipped, on CI they fail.
"""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest


def install(folder: Path) -> Path:
    """The installed packages that the lock in `folder` names; installs them unless that was done
    already. A second run of the tests in this checkout waits for the first."""
    for command in ("node", "npm"):
        if shutil.which(command) is None:
            reason = f"{command} is not installed; these tests need packages of npm"
            pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    lock, modules = folder / "package-lock.json", folder / "node_modules"
    installed = modules / ".installed-lock.json"
    with lock.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not installed.exists() or installed.read_bytes() != lock.read_bytes():
            run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=folder)
            shutil.copyfile(lock, installed)
    return modules


def run(*command: str, cwd: Path, settings: Mapping[str, str] | None = None) -> str:
    """The output of a command; printed completely if it fails."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **(settings or {})},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout

"""The npm packages of the tests: installed once per checkout, with locked versions.

Originmap itself does not need Node.js or npm: without them a
test is skipped; on CI it fails.
"""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

FOLDER = Path(__file__).with_name("clients") / "typescript"
LOCK = FOLDER / "package-lock.json"


def modules() -> Path:
    """The folder of the packages for the TypeScript client and the examples."""
    return install(FOLDER)


def install(folder: Path) -> Path:
    """The folder of the packages that the lock in `folder` names, installed once."""
    for command in ("node", "npm"):
        if shutil.which(command) is None:
            reason = f"{command} is not installed; these tests need packages of npm"
            pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    lock, modules = folder / "package-lock.json", folder / "node_modules"
    installed = modules / ".installed-lock.json"
    # A concurrent test run must not install over this one.
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

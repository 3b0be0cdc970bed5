"""The npm packages of the tests: installed once per checkout, with locked versions.

They are in tests/clients/typescript. Originmap itself does not need Node.js or npm: without them a
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
_MODULES = FOLDER / "node_modules"
_INSTALLED = _MODULES / ".installed-lock.json"
"""A copy of the lock file of the installed packages."""


def modules() -> Path:
    """The folder of the installed packages."""
    for command in ("node", "npm"):
        if shutil.which(command) is None:
            reason = f"{command} is not installed; npm's cloudflare cannot be tried"
            pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with LOCK.open("rb") as lock:  # a concurrent test run must not install over this one
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _INSTALLED.exists() or _INSTALLED.read_bytes() != LOCK.read_bytes():
            run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=FOLDER)
            shutil.copyfile(LOCK, _INSTALLED)
    return _MODULES


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

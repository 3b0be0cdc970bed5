"""Runs `originmap` commands as a user does, in processes of their own."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.process import COMMAND

SECONDS = 30
"""How long a command may take before a test fails instead of hanging."""


def run(
    *args: str | Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, whatever its status."""
    return subprocess.run(
        [COMMAND, *map(str, args)],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        env={**os.environ, **(env or {})},
    )


def output(*args: str | Path) -> str:
    """What a command that works prints."""
    done = run(*args)
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows(*args: str | Path) -> list[dict[str, Any]]:
    """The JSON that a command prints with --json."""
    found = json.loads(output(*args, "--json"))
    assert isinstance(found, list)
    return found


def refusal(*args: str | Path, status: int = 1) -> str:
    """What a command that is refused says: a message on stderr and nothing else."""
    done = run(*args)
    assert (done.returncode, done.stdout) == (status, ""), done
    assert "Traceback" not in done.stderr
    return done.stderr

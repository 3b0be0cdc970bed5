"""Runs `originmap` commands as a user does, in processes of their own."""

import ctypes
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests import forked
from tests.process import COMMAND

_C = ctypes.CDLL(None)
_DROP = 24  # PR_CAPBSET_DROP, prctl(2)
_READ_BY_COMMANDS = (
    *("ORIGINMAP_", "CLOUDFLARE_", "XDG_", "SSL_CERT_"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
)
SECONDS = 30
"""Seconds until a test with a hanging command fails."""


def run(
    *args: str | Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, with any exit status. It is started, not forked, if a variable may
    have an effect on the start."""
    if all(name.upper().startswith(_READ_BY_COMMANDS) for name in env or ()):
        return forked.run([COMMAND, *args], {**os.environ, **(env or {})}, timeout=SECONDS)
    return subprocess.run(
        [COMMAND, *map(str, args)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        env={**os.environ, **env},
    )


def run_without_rights(*args: str | Path) -> subprocess.CompletedProcess[str]:
    """Like `run`, without root's exemption from file permissions."""
    return subprocess.run(
        [COMMAND, *map(str, args)],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        preexec_fn=_drop_rights,
    )


def _drop_rights() -> None:
    """Drop CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH for the next program (capabilities(7)).
    Without effect for users other than root."""
    for capability in (1, 2):
        _C.prctl(_DROP, capability, 0, 0, 0)


def output(*args: str | Path) -> str:
    """The output of a successful command."""
    done = run(*args)
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows(*args: str | Path) -> list[dict[str, Any]]:
    """The JSON that a command prints with --json."""
    found = json.loads(output(*args, "--json"))
    assert isinstance(found, list)
    return found


def refusal(*args: str | Path, status: int = 1, env: Mapping[str, str] | None = None) -> str:
    """The error of a rejected command: a message on stderr, and no other output."""
    done = run(*args, env=env)
    assert (done.returncode, done.stdout) == (status, ""), done
    assert "Traceback" not in done.stderr
    return done.stderr

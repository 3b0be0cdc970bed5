"""npm's `cloudflare`, unmodified: installs it as locked, compiles the programs and runs each.

The programs are in typescript/. Node and npm are no requirement of Originmap: without them these
tests are skipped, on CI they fail.
"""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.process import EMAIL, KEY, TOKEN, Server

SOURCES = Path(__file__).with_name("typescript")
LOCK = SOURCES / "package-lock.json"
MODULES = SOURCES / "node_modules"
INSTALLED = MODULES / ".installed-lock.json"
"""A copy of the lock that the installed packages came from."""

BY_TOKEN = {"CLOUDFLARE_API_TOKEN": TOKEN}
BY_KEY = {"CLOUDFLARE_EMAIL": EMAIL, "CLOUDFLARE_API_KEY": KEY}

PROGRAMS = sorted(path.name for path in SOURCES.glob("*.test.ts"))


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the compiled programs, the locked packages beside them."""
    for command in ("node", "npm"):
        if shutil.which(command) is None:
            reason = f"{command} is not installed; npm's cloudflare cannot be tried"
            pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with one_at_a_time():
        install()
    folder = tmp_path_factory.mktemp("typescript")
    (folder / "node_modules").symlink_to(MODULES)
    shutil.copy(SOURCES / "package.json", folder)
    run("node", str(MODULES / "typescript/bin/tsc"), "--outDir", str(folder), cwd=SOURCES)
    return folder


@pytest.fixture(params=[BY_TOKEN, BY_KEY], ids=["token", "key"])
def settings(request: pytest.FixtureRequest, server: Server) -> dict[str, str]:
    """How a user points the client at Originmap."""
    return {"CLOUDFLARE_BASE_URL": server.api, **request.param}


@pytest.mark.proves("P-GEN-11")
def test_the_first_program_of_a_user_prints_the_address(
    compiled: Path, settings: dict[str, str]
) -> None:
    assert run("node", "first.js", cwd=compiled, settings=settings) == "192.0.2.1\n"


@pytest.mark.proves("P-GEN-4", "P-GEN-11")
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_of_tests_passes(compiled: Path, settings: dict[str, str], program: str) -> None:
    script = str(Path(program).with_suffix(".js"))
    run("node", "--test", "--test-reporter=spec", script, cwd=compiled, settings=settings)


def test_the_lock_names_no_registry() -> None:
    assert "://" not in LOCK.read_text()


def install() -> None:
    """Install the locked packages, unless that was done already."""
    if INSTALLED.exists() and INSTALLED.read_bytes() == LOCK.read_bytes():
        return
    run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=SOURCES)
    shutil.copyfile(LOCK, INSTALLED)


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Keeps a second run of the tests in this checkout from installing over the first."""
    with LOCK.open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


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

"""npm's `cloudflare`, unmodified: compiles and runs the programs in typescript/."""

import shutil
from pathlib import Path

import pytest

from tests import npm
from tests.process import EMAIL, KEY, TOKEN, Server

BY_TOKEN = {"CLOUDFLARE_API_TOKEN": TOKEN}
BY_KEY = {"CLOUDFLARE_EMAIL": EMAIL, "CLOUDFLARE_API_KEY": KEY}

PROGRAMS = sorted(path.stem for path in npm.FOLDER.glob("*.test.ts"))


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the compiled programs, with the locked packages beside them."""
    modules = npm.modules()
    folder = tmp_path_factory.mktemp("typescript")
    (folder / "node_modules").symlink_to(modules)
    shutil.copy(npm.FOLDER / "package.json", folder)
    npm.run("node", str(modules / "typescript/bin/tsc"), "--outDir", str(folder), cwd=npm.FOLDER)
    return folder


@pytest.fixture(params=[BY_TOKEN, BY_KEY], ids=["token", "key"])
def settings(request: pytest.FixtureRequest, server: Server) -> dict[str, str]:
    """The variables that a user sets to use Originmap."""
    return {"CLOUDFLARE_BASE_URL": server.api, **request.param}


@pytest.mark.proves("P-GEN-11")
def test_the_first_program_of_a_user_prints_the_address(
    compiled: Path, settings: dict[str, str]
) -> None:
    assert npm.run("node", "first.js", cwd=compiled, settings=settings) == "192.0.2.1\n"


@pytest.mark.proves("P-GEN-4", "P-GEN-11")
def test_the_test_programs_pass(compiled: Path, settings: dict[str, str]) -> None:
    """In one process: it loads the client for longer than most programs run."""
    imports = "".join(f"import './{program}.js';" for program in PROGRAMS)
    words = ("node", "--test-reporter=spec", "--input-type=module", "--eval", imports)
    printed = npm.run(*words, cwd=compiled, settings=settings)
    assert f"suites {len(PROGRAMS)}\n" in printed


def test_the_lock_names_no_registry() -> None:
    assert "://" not in npm.LOCK.read_text()

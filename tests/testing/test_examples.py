"""The projects in examples/ pass their tests, and the page about them has their current code."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import forked, npm
from tests.caches.programs.cache import found

EXAMPLES = Path(__file__).parents[2] / "examples"
NODE = EXAMPLES / "node"
PAGE = (EXAMPLES.parent / "docs" / "testing-other-languages.md").read_text()


def test_the_node_example_passes(tmp_path: Path) -> None:
    modules = npm.modules()
    project = copied("node", tmp_path)
    (project / "node_modules").symlink_to(modules)
    printed = npm.run("npm", "test", cwd=project, settings={"PATH": forked.path(), "NO_COLOR": "1"})
    assert "4 passed" in printed


def test_the_unittest_example_passes(tmp_path: Path) -> None:
    project = copied("unittest", tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "unittest"], cwd=project, capture_output=True, text=True
    )
    assert "Ran 4 tests" in done.stderr
    assert done.returncode == 0, done.stderr


def test_the_shell_example_passes(tmp_path: Path) -> None:
    found("curl")
    script = copied("shell", tmp_path) / "test.sh"
    done = subprocess.run(
        [script], env={**os.environ, "PATH": forked.path()}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all passed" in done.stdout


def test_the_lock_of_the_example_has_the_tested_packages() -> None:
    """Tests install packages once, with the lock of the TypeScript programs."""
    ran = locked(npm.LOCK)
    example = locked(NODE / "package-lock.json")
    assert example.items() <= ran.items()
    assert "://" not in (NODE / "package-lock.json").read_text()
    wanted = json.loads((NODE / "package.json").read_text())
    versions = {**wanted["dependencies"], **wanted["devDependencies"]}
    assert {f"node_modules/{name}" for name in versions} <= example.keys()
    top = json.loads((NODE / "package-lock.json").read_text())["packages"][""]
    assert {**top["dependencies"], **top["devDependencies"]} == versions


def test_the_page_has_the_code_of_the_examples() -> None:
    excerpts = re.findall(r"^<!-- from: (\S+) -->\n```\w+\n(.*?)^```$", PAGE, re.M | re.S)
    assert len(excerpts) == 3
    for file, text in excerpts:
        assert text in (EXAMPLES.parent / file).read_text(), file


def ci_scripts() -> list[str]:
    """The commands of the CI jobs on the page, except the installation."""
    github, gitlab = map(yaml.safe_load, re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.M | re.S))
    steps: list[dict[str, Any]] = github["steps"]
    lines = [*gitlab["test"]["before_script"], *gitlab["test"]["script"]]
    jobs = [[step["run"] for step in steps if "run" in step], lines]
    assert all("pip install" in job[0] for job in jobs)
    return ["\n".join(job[1:]) for job in jobs]


@pytest.mark.parametrize("script", ci_scripts(), ids=["github", "gitlab"])
def test_the_commands_of_a_ci_job_pass(script: str, tmp_path: Path) -> None:
    found("curl")
    verify = 'curl -sSf "$$CLOUDFLARE_BASE_URL/user/tokens/verify"'
    header = '-H "Authorization: Bearer $$CLOUDFLARE_API_TOKEN"'
    (tmp_path / "Makefile").write_text(f"test:\n\t@{verify} {header}\n")
    done = subprocess.run(
        ["bash", "-euc", script],
        cwd=tmp_path,
        env={**os.environ, "PATH": forked.path(), "XDG_STATE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"status":"active"' in done.stdout
    assert "stopped http://127.0.0.1:" in done.stdout


def copied(name: str, folder: Path) -> Path:
    """A copy of an example, like a reader's own project."""
    ignore = shutil.ignore_patterns("node_modules")
    return Path(shutil.copytree(EXAMPLES / name, folder / "project", ignore=ignore))


def locked(file: Path) -> dict[str, str]:
    """The checksums of a lock's packages."""
    packages = json.loads(file.read_text())["packages"]
    return {name: package["integrity"] for name, package in packages.items() if name}

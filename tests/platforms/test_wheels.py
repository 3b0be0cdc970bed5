"""The locked dependencies have wheels for every supported system and Python. `make wheels`
downloads them with pip; this test uses uv to list the files of the package index once.
"""

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging import tags
from packaging.utils import parse_wheel_filename

from scripts.wheels import LOCK, PYTHONS, TARGETS, Target, locked

Files = dict[str, dict[str, str]]
"""The SHA-256 of each wheel by its file name, by package."""


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Files:
    lock = tmp_path_factory.mktemp("lock") / "pylock.toml"
    words: list[str | Path] = [
        "--quiet",
        "--universal",
        "--generate-hashes",
        "--python-version",
        PYTHONS[0],
    ]
    words += ["--constraint", LOCK, "--output-file", lock, LOCK.with_suffix(".in")]
    done = subprocess.run(
        [Path(sys.executable).with_name("uv"), "pip", "compile", *words],
        capture_output=True,
        text=True,
        timeout=60,
    )
    if done.returncode and "CI" not in os.environ:
        pytest.skip(f"the package index does not respond: {done.stderr}")
    assert done.returncode == 0, done.stderr
    return {
        package["name"]: {
            wheel["url"].rpartition("/")[2]: wheel["hashes"]["sha256"]
            for wheel in package["wheels"]
        }
        for package in tomllib.loads(lock.read_text("utf-8"))["packages"]
    }


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_every_locked_package_has_a_locked_wheel(
    published: Files, target: Target, python: str
) -> None:
    fitting = set(fitting_tags(target, python))
    missing = [
        str(requirement)
        for requirement, hashes in locked(target, python)
        if not any(
            parse_wheel_filename(name)[3] & fitting and digest in hashes
            for name, digest in published[requirement.name].items()
        )
    ]
    assert missing == []


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_uvloop_is_not_installed_on_windows(target: Target) -> None:
    names = [requirement.name for requirement, _ in locked(target, PYTHONS[-1])]
    assert ("uvloop" in names) == (target.sys_platform != "win32")
    assert "apsw" in names


def fitting_tags(target: Target, python: str) -> Iterator[tags.Tag]:
    major, minor = map(int, python.split("."))
    systems = target.tags
    if target.sys_platform == "darwin":  # wheels for older releases match too, and universal2
        systems = tuple(tags.mac_platforms((11, 0), "arm64"))
    yield from tags.cpython_tags((major, minor), platforms=systems)
    yield from tags.compatible_tags((major, minor), f"cp{major}{minor}", systems)

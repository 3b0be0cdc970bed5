"""Downloads wheels of the locked dependencies for every supported system and Python.

pip checks the hashes. It evaluates environment markers for the current machine, so each target gets
its own list of packages. The files stay in pip's cache.

Run it after `make lock`: make wheels
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement

LOCK = Path(__file__).parents[1] / "requirements" / "extras.txt"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
GLIBC = ("2_17", "2_28")
"""The glibc versions that wheels support; 2.28 was released in 2018."""


class Target(NamedTuple):
    """An operating system with a processor architecture."""

    name: str
    sys_platform: str
    tags: tuple[str, ...]  # platform tags of wheels, PEP 425


def _linux(arch: str) -> Iterator[Target]:
    manylinux = (*(f"manylinux_{version}_{arch}" for version in GLIBC), f"manylinux2014_{arch}")
    yield Target(f"Linux {arch}, glibc", "linux", manylinux)
    yield Target(f"Linux {arch}, musl", "linux", (f"musllinux_1_2_{arch}",))


TARGETS = (
    *_linux("x86_64"),
    *_linux("aarch64"),
    Target("macOS arm64", "darwin", ("macosx_11_0_arm64",)),
    Target("Windows x86_64", "win32", ("win_amd64",)),
)


def locked(target: Target, python: str) -> Iterator[tuple[Requirement, list[str]]]:
    """The packages that a target needs, each with the SHA-256 of its files."""
    environment = {
        "sys_platform": target.sys_platform,
        "platform_python_implementation": "CPython",
        "implementation_name": "cpython",
        "python_version": python,
        "python_full_version": f"{python}.0",
    }
    for entry in re.split(r"\n(?=[a-z])", LOCK.read_text("utf-8")):
        requirement = Requirement(entry.partition("\\")[0])
        if requirement.marker is None or requirement.marker.evaluate(environment):
            yield requirement, re.findall(r"--hash=sha256:(\w+)", entry)


def download(target: Target, python: str, folder: str) -> bool:
    """Whether pip finds a locked wheel of every package."""
    wanted = Path(folder, "requirements.txt")
    wanted.write_text(
        "".join(
            f"{requirement.name}{requirement.specifier}"
            + "".join(f" --hash=sha256:{digest}" for digest in hashes)
            + "\n"
            for requirement, hashes in locked(target, python)
        )
    )
    words = ["download", "--quiet", "--disable-pip-version-check", "--require-hashes", "--no-deps"]
    words += ["--only-binary", ":all:", "--implementation", "cp", "--python-version", python]
    words += [word for tag in target.tags for word in ("--platform", tag)]
    done = subprocess.run(  # noqa: S603 (our own words)
        [sys.executable, "-m", "pip", *words, "--dest", folder, "--requirement", str(wanted)],
        check=False,
    )
    return done.returncode == 0


def main() -> None:
    """Download for all targets; return the exit status, 1 if a wheel is missing."""
    missing = 0
    for target in TARGETS:
        for python in PYTHONS:
            with tempfile.TemporaryDirectory() as folder:
                found = download(target, python, folder)
            sys.stdout.write(f"{target.name}, Python {python}: {'ok' if found else 'MISSING'}\n")
            sys.stdout.flush()
            missing += not found
    sys.exit(bool(missing))


if __name__ == "__main__":
    main()

"""The README, and the terminal in the page about mappings as code: the commands print the output
that is shown.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import picture
from tests import forked
from tests.caches.programs.cache import found
from tests.process import Server

ROOT = Path(__file__).parents[3]
README = ROOT / "README.md"
MAPPINGS = ROOT / "docs" / "mappings-as-code.md"
SHOWN = "http://127.0.0.1:8787"


def steps() -> list[tuple[str, str]]:
    """Each command of the terminal, and the output below it."""
    block = only_block(MAPPINGS, "console")
    parts = re.split(r"^\$ ", block, flags=re.M)[1:]
    return [tuple(step.partition("\n")[::2]) for step in parts]


def only_block(page: Path, language: str) -> str:
    (block,) = re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.M | re.S)
    return block


def replay(folder: Path, server: Server) -> list[str]:
    """The real output of each command, in one shell."""
    script = "".join(f"{command}\nprintf '\\n%s\\n' END\n" for command, _ in steps())
    printed = shell(script, folder, server)
    return [part.removeprefix("\n") for part in printed.split("\nEND\n")][:-1]


def shell(script: str, folder: Path, server: Server) -> str:
    done = subprocess.run(
        ["bash", "-c", f"exec 2>&1\n{script.replace(SHOWN, server.url)}"],
        capture_output=True,
        text=True,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        env={
            **{name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ},
            "PATH": forked.path(),
            "XDG_STATE_HOME": str(folder / "state"),
        },
    )
    return done.stdout.replace(server.url, SHOWN)


@pytest.mark.parametrize("step", range(len(steps())))
def test_a_command_of_the_page_prints_the_output_in_the_page(
    step: int, replayed: list[str]
) -> None:
    command, shown = steps()[step]
    assert replayed[step].rstrip("\n") == shown.rstrip("\n"), command


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("mappings")
    with Server(":memory:", folder) as server:
        return replay(folder, server)


def test_the_examples_of_the_readme_print_the_output_in_it(tmp_path: Path) -> None:
    found("curl")
    with Server(":memory:", tmp_path) as server:
        assert shell(only_block(README, "sh"), tmp_path, server) == only_block(README, "text")
        (tmp_path / "program.py").write_text(
            only_block(README, "python").replace(SHOWN, server.url), "utf-8"
        )
        listed = shell(f"{sys.executable} program.py", tmp_path, server)
        assert listed == "192.0.2.1 aws us-east-1\n"


def test_the_picture_of_the_readme_has_the_current_output() -> None:
    assert picture.draw() == picture.TARGET.read_text("utf-8"), "run: make picture"


def test_the_readme_is_short() -> None:
    assert len(README.read_text("utf-8").splitlines()) <= 120

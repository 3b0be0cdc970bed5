"""The terminal shown in the README: every command prints what the README says it prints."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.process import COMMAND, Server

README = Path(__file__).parents[3] / "README.md"
SHOWN = "http://127.0.0.1:8787"


def steps() -> list[tuple[str, str]]:
    """Each command, with the output below it."""
    (block,) = re.findall(r"^```console\n(.*?)^```", README.read_text("utf-8"), re.M | re.S)
    parts = re.split(r"^\$ ", block, flags=re.M)[1:]
    return [tuple(step.partition("\n")[::2]) for step in parts]


def replay(folder: Path, server: Server) -> list[str]:
    """The real output of each command, in one shell."""
    script = "".join(f"{command}\nprintf '\\n%s\\n' END\n" for command, _ in steps())
    done = subprocess.run(
        ["bash", "-c", f"exec 2>&1\n{script.replace(SHOWN, server.url)}"],
        capture_output=True,
        text=True,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        env={
            "PATH": f"{Path(COMMAND).parent}:{os.environ['PATH']}",
            "XDG_STATE_HOME": str(folder / "state"),
        },
    )
    printed = done.stdout.replace(server.url, SHOWN)
    return [part.removeprefix("\n") for part in printed.split("\nEND\n")][:-1]


@pytest.mark.parametrize("step", range(len(steps())))
def test_a_command_of_the_readme_prints_the_shown_output(step: int, replayed: list[str]) -> None:
    command, shown = steps()[step]
    assert replayed[step].rstrip("\n") == shown.rstrip("\n"), command


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("readme")
    with Server(":memory:", folder) as server:
        return replay(folder, server)

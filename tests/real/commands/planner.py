"""Runs the commands of mappings as code like a user, against an API of the test's choice."""

import os
import pty
import select
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from tests import forked
from tests.process import COMMAND, TOKEN

SECONDS = 60


class Done(NamedTuple):
    """The result of a command."""

    status: int
    out: str
    err: str

    @property
    def last(self) -> str:
        return self.out.rstrip().rpartition("\n")[2]


class Planner:
    """A user with a folder for files, one for state, and the credentials of `originmap dev`."""

    def __init__(self, folder: Path, api: str) -> None:
        self.folder = folder
        self.env = {
            **{k: v for k, v in os.environ.items() if not k.startswith("CLOUDFLARE_")},
            "XDG_STATE_HOME": str(folder / "state"),
            "CLOUDFLARE_BASE_URL": api,
            "CLOUDFLARE_API_TOKEN": TOKEN,
        }

    @property
    def state(self) -> Path:
        """The folder of unfinished plans."""
        return self.folder / "state" / "originmap" / "apply"

    def file(self, text: str, name: str = "mappings.yaml") -> Path:
        path = self.folder / name
        path.write_text(text, "utf-8")
        return path

    def zone(self, lines: Iterable[str], name: str = "mappings.yaml") -> Path:
        """A file with mappings of the zone of `originmap dev`."""
        text = "".join(f"      {line}\n" for line in lines)
        return self.file(f"zones:\n  example.com:\n    mappings:\n{text}", name)

    def run(self, *args: str | Path, **env: str) -> Done:
        done = forked.run([COMMAND, *args], {**self.env, **env}, self.folder, timeout=SECONDS)
        assert "Traceback" not in done.stderr, done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    def start(self, *args: str | Path) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [COMMAND, *map(str, args)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            cwd=self.folder,
            env=self.env,
        )

    def on_terminal(self, *args: str | Path, answer: str = "") -> tuple[int, str]:
        """Run a command on a terminal, and type an answer to its prompt. Returns its status and the
        text on the terminal.
        """
        terminal, other_end = pty.openpty()
        process = subprocess.Popen(
            [COMMAND, *map(str, args)],
            stdin=other_end,
            stdout=other_end,
            stderr=other_end,
            cwd=self.folder,
            env={**self.env, "TERM": "xterm"},
        )
        os.close(other_end)
        shown = b""
        answered = False
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            if not select.select([terminal], [], [], 1)[0]:
                continue
            try:
                read = os.read(terminal, 65536)
            except OSError:  # the error of Linux after the other end is closed
                break
            if not read:
                break
            shown += read
            if answer and not answered and b"[y/N]" in shown:
                answered = True
                os.write(terminal, answer.encode() + b"\n")
        os.close(terminal)
        return process.wait(SECONDS), shown.decode()


def ips(count: int, start: int = 1) -> list[str]:
    return [f"10.0.{n // 256}.{n % 256}" for n in range(start, start + count)]

"""Processes that publish and follow a stream, as a user starts them."""

import os
import re
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.jetstream.broker import Broker
from tests.process import COMMAND, printed
from tests.waiting import wait_until

EDGE_FILE = "edge.csv"


class Started:
    """A process with a log; a context manager. It can be killed and started again."""

    def __init__(
        self, name: str, words: Sequence[str], folder: Path, env: Mapping[str, str]
    ) -> None:
        self.log = folder / f"{name}.log"
        self._out = folder / f"{name}.out"
        self._words, self._env = words, env
        self.start()

    def start(self) -> None:
        """Start, without waiting."""
        with self.log.open("ab") as log, self._out.open("wb") as out:
            self.process = subprocess.Popen(
                [COMMAND, *self._words], stdout=out, stderr=log, env={**os.environ, **self._env}
            )

    def wait(self, pattern: str) -> None:
        """Wait until it has printed `pattern`."""
        printed(re.compile(f"({pattern})"), self.process, self._out, self.log)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.process.kill()
        self.process.wait(20)

    def stop(self) -> int:
        """Send SIGTERM; return the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for a condition."""
        wait_until(condition, self.log.read_text)

    def __enter__(self) -> "Started":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.kill()


class Publisher(Started):
    """`originmap publish nats`."""

    def __init__(self, url: str, broker: Broker, folder: Path, env: Mapping[str, str]) -> None:
        words = ["publish", "nats", "--follow", url, "--servers", broker.address, "--name", "pub-1"]
        super().__init__("publisher", words, folder, {"PYTHONUNBUFFERED": "1", **env})
        self.wait("follows")

    def __enter__(self) -> "Publisher":
        return self


class Agent(Started):
    """`originmap edge` that writes a CSV file."""

    def __init__(self, folder: Path, given: Sequence[str]) -> None:
        self.file = folder / EDGE_FILE
        words = ["edge", "--name", "edge-1", "--colo", "SIN", "--write", f"csv={self.file}"]
        words += ["--state", str(folder / "state"), "--interval", "0.1", *given]
        super().__init__("agent", words, folder, {})

    def __enter__(self) -> "Agent":
        return self

    def wait_for(self, text: str) -> None:
        """Wait until the file has a text."""
        self.until(lambda: self.file.exists() and text in self.file.read_text())

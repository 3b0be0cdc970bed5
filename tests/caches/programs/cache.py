"""The base of the caches under test: a process, its folder, and its files."""

import os
import shutil
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import httpx
import pytest

from tests.caches.network import ADDRESSES, Machine, free_port
from tests.waiting import PATIENCE_SECONDS

IP = ADDRESSES["origin"]
ZONE = "example.com"
# Debian installs servers in folders that are only in root's PATH.
ENVIRONMENT = {**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}


def found(*programs: str) -> None:
    """Skip the test, or fail it on CI, if a program is missing."""
    for program in programs:
        if shutil.which(program, path=ENVIRONMENT["PATH"]) is None:
            reason = f"{program} is not installed; `make caches` as root installs it on Debian"
            pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)


class Cache(ABC):
    """A cache on `url` that routes requests for one origin with our files."""

    format: str
    headers: Mapping[str, str] = {}
    """Headers of each request."""

    def __init__(self, folder: Path, machines: Mapping[str, Machine]) -> None:
        self.folder = folder
        self.machines = machines
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        self._requests = 0

    @classmethod
    def called(cls) -> str:
        """The name of the cache in tests."""
        return cls.__name__.lower()

    @property
    def origin(self) -> Machine:
        """The origin server."""
        return self.machines["origin"]

    @abstractmethod
    def check_installed(self) -> None:
        """Skip or fail the test if a program of the cache is missing."""

    @abstractmethod
    def prepare(self) -> None:
        """Write the operator's configuration."""

    @abstractmethod
    def command(self) -> list[str]:
        """The command that starts the cache in the foreground."""

    @abstractmethod
    def reload(self) -> None:
        """Reload the files."""

    @abstractmethod
    def duty(self) -> list[str]:
        """The options of `originmap edge` for the cache."""

    def load(self, files: Mapping[str, bytes]) -> None:
        """Install our files and load them."""
        for name, content in files.items():
            new = self.folder / f"{name}.new"
            new.parent.mkdir(exist_ok=True)
            new.write_bytes(content)
            new.chmod(0o644)
            new.replace(self.folder / name)
        if self._process is None:
            self.check_installed()
            self.prepare()
            self.start()
        else:
            self.reload()

    def start(self) -> None:
        """Start the cache with the existing files."""
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                self.command(), stdout=log, stderr=log, env=ENVIRONMENT
            )

    def answer(self, host: str) -> str:
        """The name of the server that responds to a request; "" if there is none."""
        self._requests += 1
        try:
            # A new path each time, because some caches store responses.
            url, headers = f"{self.url}/{self._requests}", {"host": host, **self.headers}
            answer = httpx.get(url, headers=headers, timeout=5, verify=False)
        except httpx.TransportError:
            return ""
        return answer.text if answer.status_code == 200 else ""

    def comes_to(self, name: str, host: str = ZONE) -> None:
        """Wait until requests reach a server."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (last := self.answer(host)) != name:
            assert self._process is not None
            assert self._process.poll() is None, self.log()
            assert time.monotonic() < deadline, f"{last!r} responds, not {name}\n{self.log()}"
            time.sleep(0.05)

    def log(self) -> str:
        """The log of the cache."""
        return (self.folder / "log").read_text(errors="replace")[-4000:]

    def run(self, *command: str) -> None:
        """Run a command that must succeed."""
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, env=ENVIRONMENT)
        assert done.returncode == 0, done.stdout + done.stderr

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the main process."""
        assert self._process is not None
        self._process.send_signal(number)

    def __enter__(self) -> "Cache":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)

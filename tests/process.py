"""A real server process: started like a user does, stopped like a service manager does."""

import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

import httpx

from tests.forked import Process

COMMAND = str(Path(sys.executable).with_name("originmap"))
"""The command in the environment of the tests."""

ZONE = "023e105f4ecef8ad9ca31a8372d0c353"
TOKEN = "Sn3lZJTBX6kkg7OdcBUAxOO963GEIyGQqnFTOFYY"
EMAIL = "user@example.com"
KEY = "144c9defac04969c7bfad8efaa8ea194"
BEARER = {"Authorization": f"Bearer {TOKEN}"}

_START_SECONDS = 60
_URL = re.compile(r"(http://\S+)/client/v4")


class Server:
    """An `originmap dev` or `originmap serve` process on a free port; a context manager.

    `log` is the file that its stderr goes to.
    """

    loaded = True
    """Whether a process that has loaded the program is forked. It has more memory."""

    def __init__(
        self,
        db: str,
        folder: Path,
        command: str = "dev",
        args: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        limits: Mapping[int, tuple[int, int]] | None = None,
    ) -> None:
        """`limits` are soft and hard resource limits, by the number of each in the module
        `resource`.
        """

        def limit() -> None:
            for which, (soft, hard) in (limits or {}).items():
                resource.setrlimit(which, (soft, hard))

        words = [COMMAND, command, "--port", "0", "--db", db, *args]
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})}
        self.log = folder / f"{command}-{time.monotonic_ns()}.log"
        self._out = self.log.with_suffix(".out")
        self.process: Process | subprocess.Popen[bytes]
        with self.log.open("wb") as err, self._out.open("wb") as out:
            if self.loaded and not limits and "PYTHONPATH" not in (env or {}):
                self.process = Process(words, out, err, environment)
            else:
                self.process = subprocess.Popen(
                    words,
                    stdout=out,
                    stderr=err,
                    env=environment,
                    preexec_fn=limit if limits else None,
                )
        self.url = self._wait_for_url()

    @property
    def api(self) -> str:
        """The base URL for clients."""
        return f"{self.url}/client/v4"

    @property
    def mappings(self) -> str:
        """The URL of the zone's mappings."""
        return f"{self.api}/zones/{ZONE}/origin/cloud_regions"

    def stop(self) -> int:
        """Send SIGTERM; return the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.process.kill()
        self.process.wait(20)

    def __enter__(self) -> "Server":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.stop()

    def _wait_for_url(self) -> str:
        url = printed(_URL, self.process, self._out, self.log)
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            try:
                httpx.get(f"{url}/healthz", timeout=5)
            except httpx.TransportError:
                time.sleep(0.01)
            else:
                return url
        raise AssertionError("the server does not respond")


def printed(
    pattern: re.Pattern[str], process: Process | subprocess.Popen[bytes], out: Path, log: Path
) -> str:
    """Wait until a process has printed what `pattern` matches to the file `out`; return its first
    group."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        found = pattern.search(out.read_text())
        if found:
            return found[1]
        if process.poll() is not None:
            raise AssertionError(f"the server exited immediately: {log.read_text()}")
        time.sleep(0.01)
    process.kill()
    process.wait(20)
    raise AssertionError("the server did not print its address")

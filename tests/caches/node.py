"""An `originmap edge` process of a cache, and a client that polls that cache."""

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from originmap.api.timestamps import timestamp
from originmap.domain.access.permissions import ALL_ZONES, COLO_PREFIX, Group, group_id
from originmap.store.clock import wall_clock
from tests import forked
from tests.caches.programs.cache import ZONE, Cache
from tests.process import BEARER, COMMAND, Server
from tests.waiting import PATIENCE_SECONDS, wait_until

UPSTREAMS = ("IAD", "FRA")
# Envoy is in Python's folder, which an operator's PATH would also contain.
_PATH = f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}"


def edge_token(server: Server, name: str) -> str:
    """A token for an edge node in SIN."""
    resources = {ALL_ZONES: "*", COLO_PREFIX + "SIN": "*"}
    groups = [{"id": group_id(Group.EDGE)}]
    policy = {"effect": "allow", "resources": resources, "permission_groups": groups}
    body = {"name": name, "policies": [policy]}
    answer = httpx.post(f"{server.api}/user/tokens", json=body, headers=BEARER, verify=False)
    secret: str = answer.json()["result"]["value"]
    return secret


class Edge:
    """The agent of one node in SIN; a context manager."""

    def __init__(
        self, server: Server, cache: Cache, folder: Path, args: Sequence[str] = ()
    ) -> None:
        upstreams = [f"--upstream={c}={cache.machines[c].endpoint}" for c in UPSTREAMS]
        self.name = f"sin-{cache.called()}"
        self.state = folder / f"edge-{cache.format}"
        self.arguments = [
            "--follow", server.url, "--colo", "sin", "--name", self.name,
            "--state", str(self.state), *upstreams, *cache.duty(), *args,
        ]  # fmt: skip
        token = edge_token(server, self.name)
        self.environment = {**os.environ, "ORIGINMAP_TOKEN": token, "PATH": _PATH}
        self._log = folder / f"edge-{cache.format}.log"
        self._process: forked.Process | None = None
        self._started = ""

    def start(self, *args: str) -> None:
        """Start the process like a service manager."""
        command = [COMMAND, "edge", *self.arguments, *args]
        self._started = timestamp(wall_clock())
        with self._log.open("ab") as log:
            self._process = forked.Process(command, log, log, self.environment)

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def run(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Run the command to its end."""
        command = [COMMAND, "edge", *self.arguments, *args]
        return forked.run(command, self.environment, timeout=PATIENCE_SECONDS)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Stop the process; return the exit status."""
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(PATIENCE_SECONDS)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        assert self._process is not None
        self._process.send_signal(number)

    def log(self) -> str:
        """The log so far."""
        return self._log.read_text(errors="replace")

    def written(self, cache: Cache) -> bool:
        """Whether the files of a cache exist and passed their check."""
        record = self.state / f"{cache.format}.json"
        return record.exists() and '"pending":{}' in record.read_text()

    def serves_all(self, server: Server) -> None:
        """Wait until the server reports that the cache serves the newest revision."""

        def told() -> bool:
            row = listed(server, self.name)
            # Reports before a restart do not count.
            new = bool(row) and row["last_contact"] > self._started
            return new and (row["applied"], row["lag"], row["problem"]) == (
                row["revision"],
                0,
                "",
            )

        self.waits_for(told, "the list of followers")

    def said(self, event: str) -> int:
        """The number of log lines with an event."""
        return self.log().count(f'"event":"{event}"')

    def waits_for(self, look: Callable[[], Any], what: str) -> None:
        """Wait until a condition is true."""

        def there() -> bool:
            assert self.is_running, self.log()
            return bool(look())

        wait_until(there, lambda: f"timeout while waiting for {what}\n{self.log()}")

    def __enter__(self) -> "Edge":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.is_running:
            self.stop()


def listed(server: Server, name: str) -> dict[str, Any]:
    """The server's row of a follower; empty if it is unknown. Each `Edge` has a separate token, and
    each token a row: of several rows, the one with the last contact.
    """
    url = f"{server.url}/originmap/v1/followers"
    answer = httpx.get(url, headers=BEARER, verify=False)
    found: list[dict[str, Any]] = answer.raise_for_status().json()["result"]
    rows = [each for each in found if each["name"] == name]
    return max(rows, key=lambda row: row["last_contact"], default={})


class Visitor:
    """Polls a cache and counts the responses; a context manager."""

    def __init__(self, cache: Cache, host: str = ZONE) -> None:
        self._cache = cache
        self._host = host
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self.asked = 0
        self.failed = 0

    def __enter__(self) -> "Visitor":
        self._thread.start()
        return self

    def __exit__(self, *of: object) -> None:
        self._ended.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._ended.wait(0.005):
            self.asked += 1
            try:
                self.failed += not self._answered()
            except (OSError, http.client.HTTPException):
                self.failed += 1

    def _answered(self) -> bool:
        """Sends each request on a new connection, with little CPU time."""
        connection = http.client.HTTPConnection("127.0.0.1", self._cache.port, timeout=5)
        with contextlib.closing(connection):
            headers = {"host": self._host, **self._cache.headers}
            connection.request("GET", f"/visit/{self.asked}", headers=headers)
            answer = connection.getresponse()
            return answer.status == 200 and answer.read() in (b"IAD", b"FRA")

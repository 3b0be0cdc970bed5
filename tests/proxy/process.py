"""An `originmap proxy` process in front of an API."""

import os
import re
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from tests.forked import Process
from tests.process import COMMAND, printed

_URL = re.compile(r"^Originmap proxy (http://\S+) ", re.MULTILINE)
_TALLY = re.compile(r"([\d,]+) requests answered with ([\d,]+) requests to the API")


class ProxyProcess:
    """The process on a free port; a context manager. `log` is the file with its stderr."""

    def __init__(self, api: str, folder: Path, args: Sequence[str] = ()) -> None:
        self.log = folder / f"proxy-{time.monotonic_ns()}.log"
        self._out = self.log.with_suffix(".out")
        command = [COMMAND, "proxy", "--api", api, "--listen", "127.0.0.1:0", *args]
        with self.log.open("wb") as err, self._out.open("wb") as out:
            self.process = Process(command, out, err, os.environ)
        self.api = printed(_URL, self.process, self._out, self.log)

    @property
    def url(self) -> str:
        """The URL without the path of the API."""
        return self.api.removesuffix("/client/v4")

    @property
    def printed(self) -> str:
        """The stdout of the process."""
        return self._out.read_text()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Suspend the process; the system accepts connections and data for it."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            while self._state() != "T":
                time.sleep(0.001)
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def _state(self) -> str:
        """The letter of proc(5); T is stopped."""
        return Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[0]

    def stop(self) -> tuple[int, int]:
        """Send SIGTERM; return the numbers of received and sent requests that the proxy prints."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(20) == 0
        found = _TALLY.search(self.printed)
        assert found is not None, self.printed
        return tuple(int(number.replace(",", "")) for number in found.groups())

    def __enter__(self) -> "ProxyProcess":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)

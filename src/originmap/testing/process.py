"""Starts and stops the process of a development server."""

import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import IO

from originmap.dev_access import DevAccess, read_access
from originmap.testing.control import ControlError

_STOP_SECONDS = 15


class DevProcess:
    """`originmap dev` on a free port, with its data in memory. It ends with this process, because
    its standard input ends then."""

    def __init__(self, arguments: Sequence[str]) -> None:
        """Raises ControlError if the server does not start."""
        fixed = ("dev", "--db", ":memory:", "--port", "0", "--stop-on-eof", "--no-log-requests")
        self._process = subprocess.Popen(  # noqa: S603 (our own command)
            [sys.executable, "-m", "originmap", *fixed, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input, self._output = self._process.stdin, self._process.stdout
        self.access = self._read_access()
        # Its log must not fill the pipe.
        self._drain = threading.Thread(target=_discard, args=[self._output], daemon=True)
        self._drain.start()

    def _read_access(self) -> DevAccess:
        """The access that the server prints when it is ready, after warnings if there are any."""
        lines = []
        for line in self._output:
            try:
                return read_access(line)
            except ValueError:
                lines.append(line.decode("utf-8", "replace"))
        self._end()
        self._output.close()
        raise ControlError(f"originmap dev did not start: {''.join(lines).strip()}")

    def stop(self) -> None:
        """End the process, and wait for it."""
        self._end()
        self._drain.join()
        self._output.close()

    def _end(self) -> None:
        self._input.close()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _discard(output: IO[bytes]) -> None:
    while output.read(1 << 16):
        pass

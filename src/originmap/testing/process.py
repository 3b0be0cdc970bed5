"""Starts and stops the process of a development server."""

import subprocess
import sys
import tempfile
from collections.abc import Sequence

from originmap.dev_access import DevAccess, read_access
from originmap.testing.control import ControlError

_STOP_SECONDS = 15


class DevProcess:
    """`originmap dev` on a free port, with its data in memory. It ends with this process, because
    its standard input ends then."""

    def __init__(self, arguments: Sequence[str]) -> None:
        """Raises ControlError if the server does not start."""
        fixed = ("dev", "--db", ":memory:", "--port", "0", "--stop-on-eof", "--no-log-requests")
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (open as long as the process)
        self._process = subprocess.Popen(  # noqa: S603 (our own command)
            [sys.executable, "-m", "originmap", *fixed, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
        )
        self.access = self._access()

    def _access(self) -> DevAccess:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        try:
            return read_access(line)
        except ValueError:
            self._process.wait()
            problem = f"originmap dev did not start: {self._errors()}"
            self.stop()
            raise ControlError(problem) from None

    def _errors(self) -> str:
        self._log.seek(0)
        return self._log.read().decode("utf-8", "replace").strip()

    def stop(self) -> None:
        """End the process, and wait for it."""
        process = self._process
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
        self._log.close()

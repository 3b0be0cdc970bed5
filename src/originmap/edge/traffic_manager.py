"""Wakes the manager of Traffic Server 9 after a reload, to avoid its delay of five seconds.

`traffic_ctl config reload` notifies traffic_manager. One of its threads tells traffic_server which
files changed, and that thread sleeps for five seconds between two checks, in any configuration
(lib/records/RecLocal.cc, sync_thr; REC_REMOTE_SYNC_INTERVAL_MS). A signal ends a sleep, and
traffic_manager has a handler for SIGALRM that does nothing (traffic_manager.cc,
SignalAlrmHandler). Its other threads repeat an interrupted call, so the signal does not affect
them.

traffic_server must have loaded one reload before it receives the next. While it loads its error
pages, as with every reload, it holds the lock of a record and takes the lock of all records; when
it receives a reload, it takes both locks in the opposite order (RecExecConfigUpdateCbs and
HttpBodyFactory::reconfigure; RecForceInsert). If both happen together, it deadlocks. The delay of
five seconds prevents that, so this module waits for `seconds_to_load` instead.
"""

import os
import re
import signal
import time
from pathlib import Path

from originmap.edge.errors import CannotWake

_NAME = "traffic_manager"
# Its main thread handles the reload after traffic_ctl has exited, so the first signal may come too
# early. An unneeded check is cheap.
_PAUSES_SECONDS = (0.0, 0.05, 0.1, 0.2)
_MARGIN_SECONDS = 0.5
_SLEEP_SECONDS = 5.0
_SETTINGS = {  # (default, units per second)
    "lm.pserver_timeout_secs": (1, 1),
    "lm.pserver_timeout_msecs": (0, 1000),
    "config_update_interval_ms": (3000, 1000),
}
_SETTING = re.compile(r"(?ma)^\s*CONFIG\s+proxy\.config\.(\S+)\s+INT\s+(\d+)\s*$")


class TrafficManager:
    """The process whose ID is in manager.lock."""

    def __init__(self, lock: Path, records: Path) -> None:
        """`records` is the path of Traffic Server's records.config."""
        self._lock = lock
        self._records = records
        self._woken = time.monotonic()  # an earlier agent may have woken it just now

    def wake(self) -> None:
        """Wait until the last reload is loaded, then interrupt the sleep of each thread. Raises
        CannotWake."""
        loaded = self._woken + seconds_to_load(self._records)
        time.sleep(max(loaded - time.monotonic(), 0))
        try:
            for pause in _PAUSES_SECONDS:
                time.sleep(pause)
                self._signal(self._process())
        finally:
            self._woken = time.monotonic()

    def _process(self) -> int:
        """The process ID, after checking that it is traffic_manager: SIGALRM terminates a process
        that does not catch it."""
        try:
            process = int(self._lock.read_text("ascii"))
            lines = Path(f"/proc/{process}/status").read_text("utf-8", "replace").splitlines()
        except (OSError, ValueError) as error:
            raise CannotWake(f"{self._lock} has no running process: {error}") from error
        status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
        caught = int(status["SigCgt"], 16) >> (signal.SIGALRM - 1) & 1
        if status["Name"] != _NAME or not caught:
            raise CannotWake(f"the process in {self._lock} is {status['Name']}, not {_NAME} 9")
        return process

    def _signal(self, process: int) -> None:
        """Signal all threads except the main thread, which does not sleep."""
        try:
            threads = [int(name) for name in os.listdir(f"/proc/{process}/task")]
            for thread in threads:
                if thread != process:
                    os.kill(thread, signal.SIGALRM)  # on Linux this thread receives the signal
        except OSError as error:
            raise CannotWake(f"cannot signal {_NAME}: {error.strerror}") from error


def seconds_to_load(records: Path) -> float:
    """The longest time that traffic_server takes to load a reload, from the settings in `records`.
    Raises CannotWake."""
    try:
        text = records.read_text("utf-8", "replace")
    except OSError as error:
        raise CannotWake(f"cannot read {records}: {error.strerror}") from error
    values = {name: int(value) for name, value in _SETTING.findall(text)}
    seconds = sum(values.get(name, default) / of for name, (default, of) in _SETTINGS.items())
    return min(seconds + _MARGIN_SECONDS, _SLEEP_SECONDS)

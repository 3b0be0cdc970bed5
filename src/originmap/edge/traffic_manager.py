"""The manager of Traffic Server 9, woken after a reload that it would sleep over.

`traffic_ctl config reload` tells traffic_manager, and a thread of that tells traffic_server which
files changed: one that sleeps for five seconds between two looks, whatever is set
(lib/records/RecLocal.cc, sync_thr; REC_REMOTE_SYNC_INTERVAL_MS). A signal ends a sleep, and for
SIGALRM traffic_manager has a handler that does nothing (traffic_manager.cc, SignalAlrmHandler). Its
other threads wait on as before: they ask again when a call was interrupted.

traffic_server must have loaded what it was told before it is told again. To load its error pages,
as it does with every reload, it holds the lock of a record and asks for the lock of all; what it is
told is put down with the locks taken the other way round (RecExecConfigUpdateCbs and
HttpBodyFactory::reconfigure; RecForceInsert). When both meet, it answers nobody any more. Those
five seconds keep them apart, and so must whoever ends them: `seconds_to_load`.
"""

import os
import re
import signal
import time
from pathlib import Path

from originmap.edge.errors import CannotWake

_NAME = "traffic_manager"
# Its first thread takes a reload in after traffic_ctl has ended, so that the first signal may come
# too early; a look for nothing costs little.
_PAUSES_SECONDS = (0.0, 0.05, 0.1, 0.2)
_MARGIN_SECONDS = 0.5
_SLEEP_SECONDS = 5.0
_SETTINGS = {  # with their defaults, and how many of them are a second
    "lm.pserver_timeout_secs": (1, 1),
    "lm.pserver_timeout_msecs": (0, 1000),
    "config_update_interval_ms": (3000, 1000),
}
_SETTING = re.compile(r"(?ma)^\s*CONFIG\s+proxy\.config\.(\S+)\s+INT\s+(\d+)\s*$")


class TrafficManager:
    """The process that holds a manager.lock, in which its number is."""

    def __init__(self, lock: Path, records: Path) -> None:
        """`records` is its records.config."""
        self._lock = lock
        self._records = records
        self._woken = time.monotonic()  # an agent before this one may have done so

    def wake(self) -> None:
        """End the sleep of each thread, when what it passed on last is loaded. Raises
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
        """Its number, after a look at who that is now: SIGALRM ends whoever does not catch it."""
        try:
            process = int(self._lock.read_text("ascii"))
            lines = Path(f"/proc/{process}/status").read_text("utf-8", "replace").splitlines()
        except (OSError, ValueError) as error:
            raise CannotWake(f"{self._lock} leads to no process: {error}") from error
        status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
        caught = int(status["SigCgt"], 16) >> (signal.SIGALRM - 1) & 1
        if status["Name"] != _NAME or not caught:
            raise CannotWake(f"{self._lock} is of {status['Name']} and not of {_NAME} 9")
        return process

    def _signal(self, process: int) -> None:
        """Signal all threads but the first, which does not sleep."""
        try:
            threads = [int(name) for name in os.listdir(f"/proc/{process}/task")]
            for thread in threads:
                if thread != process:
                    os.kill(thread, signal.SIGALRM)  # Linux lets the thread of that number have it
        except OSError as error:
            raise CannotWake(f"{_NAME} takes no signal: {error.strerror}") from error


def seconds_to_load(records: Path) -> float:
    """How long traffic_server may take to load what its manager passes on, by the settings of both.
    Raises CannotWake."""
    try:
        text = records.read_text("utf-8", "replace")
    except OSError as error:
        raise CannotWake(f"cannot read {records}: {error.strerror}") from error
    given = {name: int(value) for name, value in _SETTING.findall(text)}
    seconds = sum(given.get(name, default) / of for name, (default, of) in _SETTINGS.items())
    return min(seconds + _MARGIN_SECONDS, _SLEEP_SECONDS)

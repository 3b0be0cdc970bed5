"""Only Traffic Server's manager receives signals."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from originmap.edge.errors import CannotWake
from originmap.edge.traffic_manager import TrafficManager, seconds_to_load

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="uses /proc")
# The same system calls as the manager's: SIGALRM caught in C, and a thread that sleeps for a
# minute.
CATCHES = "libc.signal(14, ctypes.cast(libc.getpid, ctypes.c_void_p))"
SLEEPS = """
import ctypes, threading
libc = ctypes.CDLL(None)
{catches}
def sleep():
    print("sleeps", flush=True)
    libc.usleep(60_000_000)
    print("woke", flush=True)
threading.Thread(target=sleep).start()
threading.Event().wait()
"""


def manager(folder: Path) -> TrafficManager:
    """The manager of a Traffic Server that completes a reload at once."""
    (folder / "records.config").write_text(
        "CONFIG proxy.config.lm.pserver_timeout_secs INT 0\n"
        "CONFIG proxy.config.config_update_interval_ms INT 0\n"
    )
    return TrafficManager(folder / "manager.lock", folder / "records.config")


@contextmanager
def process(folder: Path, name: str, catches: str = CATCHES) -> Iterator[subprocess.Popen[str]]:
    """A process with this name; its ID is in manager.lock."""
    program = folder / name
    program.symlink_to(os.path.realpath(sys.executable))
    command = [str(program), "-c", SLEEPS.format(catches=catches)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "sleeps\n"
        (folder / "manager.lock").write_text(f"{running.pid}\n")
        yield running
        running.kill()


def test_a_sleeping_thread_is_woken(tmp_path: Path) -> None:
    with process(tmp_path, "traffic_manager") as running:
        time.sleep(0.1)  # it sleeps a moment after it prints this
        manager(tmp_path).wake()
        assert running.stdout is not None
        assert running.stdout.readline() == "woke\n"
        assert running.poll() is None


@pytest.mark.parametrize(("name", "catches"), [("somebody", CATCHES), ("traffic_manager", "")])
def test_a_process_other_than_the_manager_is_not_signalled(
    tmp_path: Path, name: str, catches: str
) -> None:
    with process(tmp_path, name, catches) as running:
        with pytest.raises(CannotWake, match=f"is {name}, not"):
            manager(tmp_path).wake()
        assert running.poll() is None


@pytest.mark.parametrize("content", [None, "", "nonsense", "-1", "0", "4194305", "٣"])
def test_a_lock_without_a_running_process_is_an_error(tmp_path: Path, content: str | None) -> None:
    lock = tmp_path / "manager.lock"
    if content is not None:
        lock.write_text(content)
    with pytest.raises(CannotWake, match="has no running process") as refused:
        manager(tmp_path).wake()
    assert "manager.lock" in refused.value.hint


@pytest.mark.parametrize(
    ("lines", "seconds"),
    [
        ((), 4.5),
        (("CONFIG proxy.config.config_update_interval_ms INT 100",), 1.6),
        (
            (
                "CONFIG proxy.config.lm.pserver_timeout_secs INT 0",
                "  CONFIG\tproxy.config.lm.pserver_timeout_msecs INT   100 ",
                "CONFIG proxy.config.config_update_interval_ms INT 9000",
                "CONFIG proxy.config.config_update_interval_ms INT 100",
                "#CONFIG proxy.config.config_update_interval_ms INT 7000",
            ),
            0.7,
        ),
        (("CONFIG proxy.config.lm.pserver_timeout_secs INT 3600",), 5.0),
    ],
)
def test_the_time_to_load_comes_from_the_settings(
    tmp_path: Path, lines: tuple[str, ...], seconds: float
) -> None:
    records = tmp_path / "records.config"
    records.write_text("\n".join(lines))
    assert seconds_to_load(records) == pytest.approx(seconds)


def test_unreadable_settings_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(CannotWake, match=r"cannot read .*records\.config"):
        seconds_to_load(tmp_path / "records.config")


def test_the_manager_is_not_woken_again_before_the_last_reload_is_loaded(tmp_path: Path) -> None:
    with process(tmp_path, "traffic_manager"):
        sleeper = manager(tmp_path)
        sleeper.wake()
        since = time.monotonic()
        sleeper.wake()
    # Not a timeout of the test: the wait ends by itself.
    assert time.monotonic() - since >= seconds_to_load(tmp_path / "records.config")

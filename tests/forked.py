"""Commands of `originmap` in processes that are forked from one that has loaded the program.

Loading takes longer than most commands do. A forked process has its own arguments, environment,
folder and standard files, as a started one has, but it exits without freeing its memory. Tests of
starting itself, of memory and of packages start the program.
"""

import atexit
import contextlib
import gc
import marshal
import os
import pkgutil
import selectors
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import IO, Any, NamedTuple

import originmap

_NOT_LOADED = (
    "originmap.__main__",
    "originmap.xds",
    "originmap.bootstrap_xds",
    "originmap.jetstream",
)
"""The program itself, and the parts that need extras: threads of gRPC do not survive a fork."""
_NUMBER = struct.Struct("i")
_LARGEST = 1 << 20  # bytes of a request


class Process:
    """A running command. The methods are those of `subprocess.Popen`."""

    def __init__(
        self,
        args: Sequence[str],
        out: IO[Any],
        err: IO[Any],
        env: Mapping[str, str],
        cwd: Path | None = None,
        stdin: IO[Any] | None = None,
    ) -> None:
        """`out` and `err` are its standard output and error; without `stdin` it has no input."""
        self.args = args
        self.returncode: int | None = None
        self._ended, ended = os.pipe()
        request = marshal.dumps((list(args), dict(env), str(cwd or Path.cwd())))
        with open(os.devnull) as nothing:
            files = [(stdin or nothing).fileno(), out.fileno(), err.fileno(), ended]
            socket.send_fds(_nursery().requests, [request], files)
        os.close(ended)
        self.pid = self._read()

    def poll(self) -> int | None:
        """The exit status, None while it runs."""
        return self.returncode if self._has_ended(0) else None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. Raises subprocess.TimeoutExpired."""
        if not self._has_ended(timeout):
            assert timeout is not None
            raise subprocess.TimeoutExpired(self.args, timeout)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def _has_ended(self, timeout: float | None) -> bool:
        if self.returncode is None:
            with selectors.DefaultSelector() as ready:
                ready.register(self._ended, selectors.EVENT_READ)
                if not ready.select(timeout):
                    return False
            self.returncode = os.waitstatus_to_exitcode(self._read())
            os.close(self._ended)
        return True

    def _read(self) -> int:
        raw = os.read(self._ended, _NUMBER.size)
        assert raw, "the process that forks has ended"
        number: int = _NUMBER.unpack(raw)[0]
        return number


def run(
    args: Sequence[str | Path],
    env: Mapping[str, str],
    cwd: Path | None = None,
    *,
    timeout: float,
    stdin: str = "",
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    words = list(map(str, args))
    with (
        tempfile.TemporaryFile("w+") as given,
        tempfile.TemporaryFile("w+") as out,
        tempfile.TemporaryFile("w+") as err,
    ):
        given.write(stdin)
        given.seek(0)
        process = Process(words, out, err, env, cwd, given)
        try:
            status = process.wait(timeout)
        finally:
            process.kill()
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(words, status, out.read(), err.read())


def path() -> str:
    """A PATH for shells, whose command `originmap` is forked, too."""
    return f"{_nursery().folder}:{Path(sys.executable).parent}:{os.environ['PATH']}"


class _Nursery(NamedTuple):
    """The process that forks: its socket, and the folder of the command that asks it."""

    requests: socket.socket
    folder: Path


@cache
def _nursery() -> _Nursery:
    """The process that forks. It ends with this one."""
    folder = Path(tempfile.mkdtemp(prefix="originmap-"))
    asking = folder / "originmap"
    text = Path(__file__).with_name("forking_command.py").read_text("utf-8")
    asking.write_text(f"#!{sys.executable} -IS\n{text}", "utf-8")
    asking.chmod(0o700)
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(str(folder / "socket"))
    listener.listen()
    sockets = [its.fileno(), listener.fileno()]
    command = [sys.executable, "-m", "tests.forked", *map(str, sockets)]
    root = Path(__file__).parents[1]
    process = subprocess.Popen(command, pass_fds=sockets, cwd=root)
    its.close()
    listener.close()

    def end() -> None:
        ours.close()
        process.wait(10)
        shutil.rmtree(folder)

    atexit.register(end)
    return _Nursery(ours, folder)


class _Request:
    """A command to run, and the files that it gets."""

    def __init__(self, message: bytes, files: Sequence[int]) -> None:
        self.args, self.env, self.cwd = marshal.loads(message)
        self.files = files

    def become(self) -> None:
        """Be the process that runs it."""
        for number, file in enumerate(self.files[:3]):
            os.dup2(file, number)
        os.closerange(3, 1 << 16)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
        buffered = 1 if "PYTHONUNBUFFERED" in self.env else -1
        sys.stdout = open(1, "w", buffered, "utf-8", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", 1, "utf-8", "backslashreplace", closefd=False)  # noqa: SIM115
        os.environ.clear()
        os.environ.update(self.env)
        time.tzset()
        os.chdir(self.cwd)
        sys.argv = self.args


class _Forks:
    """Forks a process for each request, and tells its number and its exit status."""

    def __init__(self, requests: socket.socket, listener: socket.socket) -> None:
        self._requests, self._listener = requests, listener
        self._ready = selectors.DefaultSelector()
        self._ready.register(requests, selectors.EVENT_READ)
        self._ready.register(listener, selectors.EVENT_READ)
        self._running: dict[int, tuple[int, int]] = {}  # by the descriptor of each process
        self._of_caller: dict[socket.socket, int] = {}

    def request(self) -> _Request | None:
        """Returns each request in its new process, and None at the end of requests."""
        while True:
            for key, _ in self._ready.select():
                if key.fd in self._running:
                    self._tell_end(key.fd)
                elif key.fileobj is self._listener:
                    caller, _ = self._listener.accept()
                    self._ready.register(caller, selectors.EVENT_READ)
                elif isinstance(key.fileobj, socket.socket):
                    message, files, _, _ = socket.recv_fds(key.fileobj, _LARGEST, 4)
                    if not message and key.fileobj is self._requests:
                        return None
                    if not message:
                        self._kill(key.fileobj)
                    elif self._fork(key.fileobj, files):
                        return _Request(message, files)

    def _fork(self, source: socket.socket, files: Sequence[int]) -> bool:
        """Whether this is the new process."""
        pid = os.fork()
        if pid == 0:
            for key in self._ready.get_map().values():
                if isinstance(key.fileobj, socket.socket):
                    key.fileobj.detach()  # `become` closes all descriptors
            self._ready.close()
            return True
        *given, ended = files
        _tell(ended, pid)
        for file in given:
            os.close(file)
        ends = os.pidfd_open(pid)
        self._running[ends] = pid, ended
        self._ready.register(ends, selectors.EVENT_READ)
        if source is not self._requests:
            self._of_caller[source] = pid
        return False

    def _tell_end(self, ends: int) -> None:
        pid, ended = self._running.pop(ends)
        self._ready.unregister(ends)
        os.close(ends)
        _tell(ended, os.waitpid(pid, 0)[1])
        os.close(ended)

    def _kill(self, caller: socket.socket) -> None:
        """Kill the process of a caller that has ended; usually it has ended before."""
        self._ready.unregister(caller)
        caller.close()
        pid = self._of_caller.pop(caller, 0)
        if any(pid == running for running, _ in self._running.values()):
            os.kill(pid, signal.SIGKILL)


def _tell(pipe: int, number: int) -> None:
    with contextlib.suppress(BrokenPipeError):  # nobody waits for this process
        os.write(pipe, _NUMBER.pack(number))


def _load() -> None:
    for module in pkgutil.walk_packages(originmap.__path__, "originmap."):
        if not module.name.startswith(_NOT_LOADED):
            import_module(module.name)
    gc.collect()
    gc.freeze()


def _main(requests: int, listener: int) -> None:
    status: list[int] = []
    atexit.register(_exit_with, status)  # the first, so it runs last
    _load()
    forks = _Forks(socket.socket(fileno=requests), socket.socket(fileno=listener))
    request = forks.request()
    if request is not None:
        request.become()
        from originmap.cli.main import main

        try:
            main()
        except SystemExit as ended:
            if isinstance(ended.code, int):
                status.append(ended.code)
            raise


def _exit_with(status: Sequence[int]) -> None:
    """Exit with a status if there is one. Freeing memory first would take longer than most commands
    do: the process shares it with the one that forks, so that each page would be copied."""
    if status:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status[0])


if __name__ == "__main__":
    _main(*map(int, sys.argv[1:]))

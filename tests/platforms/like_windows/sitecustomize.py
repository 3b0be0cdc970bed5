"""Removes from Python on Linux the names that Python on Windows lacks.

Python imports this module at startup if this folder is on PYTHONPATH. Modules of the standard
library that use these names are imported first, so that they still work.
"""

import asyncio
import builtins
import fcntl
import functools
import getpass
import os
import select
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

_IMPORTED_FIRST = (builtins, getpass, subprocess, tempfile, Path)

_MODULES = ("fcntl", "grp", "pwd", "resource", "syslog")
_NAMES: dict[Any, tuple[str, ...]] = {
    os: (
        *("O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK", "ST_RDONLY"),
        *("chown", "fchmod", "fchown", "fork", "fstatvfs", "getegid", "geteuid", "getgid"),
        *("getpgid", "getuid", "killpg", "lchown", "mkfifo", "nice", "pread", "pwrite", "setsid"),
        *("statvfs", "sysconf", "uname"),
    ),
    select: ("epoll", "poll"),
    signal: ("SIGALRM", "SIGCHLD", "SIGHUP", "SIGPIPE", "SIGQUIT", "SIGUSR1", "SIGUSR2", "alarm"),
    socket: ("AF_UNIX", "SO_REUSEPORT"),
    time: ("CLOCK_BOOTTIME", "CLOCK_MONOTONIC", "clock_gettime", "clock_gettime_ns"),
}


def _not_implemented(*_: object, **__: object) -> None:
    raise NotImplementedError


def _locking(descriptor: int, mode: int, count: int) -> None:
    """msvcrt.locking: a lock of this file handle on the bytes from its position."""
    start = os.lseek(descriptor, 0, os.SEEK_CUR)
    wanted = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, start, count, 0)
    try:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, wanted)
    except OSError as error:
        raise PermissionError(13, "Permission denied") from error


def _refuse_folders(open_: Callable[..., int]) -> Callable[..., int]:
    def opened(path: Any, *args: Any, **options: Any) -> int:
        if os.path.isdir(path):
            raise PermissionError(13, "Permission denied", str(path))
        return open_(path, *args, **options)

    return opened


def _refuse_readers(fsync: Callable[[Any], None]) -> Callable[[Any], None]:
    def synced(file: Any) -> None:
        if fcntl.fcntl(file, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(9, "Bad file descriptor")
        fsync(file)

    return synced


def _refuse_open_files(act: Callable[..., None]) -> Callable[..., None]:
    def acted(path: Any, *args: Any, **options: Any) -> None:
        for each in (path, *args):
            if _is_open(each):
                raise PermissionError(13, "it is being used by another process", str(each))
        act(path, *args, **options)

    return acted


def _is_open(path: Any) -> bool:
    """Whether this process has a file open; Windows neither deletes nor replaces it then."""
    try:
        wanted = os.lstat(path)
    except (OSError, TypeError):
        return False
    if not stat.S_ISREG(wanted.st_mode):
        return False
    for name in os.listdir("/proc/self/fd"):
        try:
            found = os.fstat(int(name))
        except OSError:
            continue
        if (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino):
            return True
    return False


def _take_away() -> None:
    # On Windows, socketpair connects two TCP sockets.
    socket.socketpair = functools.partial(socket.socketpair, socket.AF_UNIX)
    sys.modules["uvloop"] = None  # type: ignore[assignment]
    for name in _MODULES:
        sys.modules[name] = None  # type: ignore[assignment]
    for module, names in _NAMES.items():
        for name in names:
            if hasattr(module, name):
                delattr(module, name)
    loop: Any = asyncio.SelectorEventLoop
    for name in ("add_signal_handler", "create_unix_connection", "create_unix_server"):
        setattr(loop, name, _not_implemented)
    console = types.ModuleType("msvcrt")
    console.LK_NBLCK, console.locking = 2, _locking  # type: ignore[attr-defined]
    sys.modules["msvcrt"] = console
    os.open = _refuse_folders(os.open)
    os.fsync = _refuse_readers(os.fsync)
    for name in ("remove", "rename", "replace", "unlink"):
        setattr(os, name, _refuse_open_files(getattr(os, name)))


_take_away()

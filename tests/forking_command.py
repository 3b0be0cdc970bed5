"""The command `originmap` of shells in tests: runs it in a process that is forked from one that has
loaded the program (tests/forked.py). Signals are passed on, and the status is returned.

It is copied, and started by Python's options -IS: it imports nothing that takes long to load.
"""

import _socket
import marshal
import os
import signal
import sys

_PASSED = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
_FOLDER = os.path.dirname(os.path.abspath(__file__))


def main() -> None:
    """Run the command of the arguments, and exit with its status."""
    ours, ended = os.pipe()
    asking = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    asking.connect(os.path.join(_FOLDER, "socket"))
    command = os.path.join(os.path.dirname(sys.executable), "originmap")
    message = marshal.dumps(([command, *sys.argv[1:]], dict(os.environ), os.getcwd()))
    files = b"".join(file.to_bytes(4, sys.byteorder) for file in (0, 1, 2, ended))
    asking.sendmsg([message], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, files)])
    os.close(ended)
    pid = _read(ours)
    for number in _PASSED:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda number, _: os.kill(pid, number))
    status = os.waitstatus_to_exitcode(_read(ours))
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status)


def _read(pipe: int) -> int:
    return int.from_bytes(os.read(pipe, 4), sys.byteorder)


if __name__ == "__main__":
    main()

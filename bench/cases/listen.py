"""The watchers of the fan-out case: many connections in a separate process.

It reads them with epoll and no framework, so that reading costs little more than its system calls.
It knows what the writer writes next (`bench.cases.fanout`), and prints a line when the last
connection has received an event: nanoseconds of the monotonic clock, which all processes of a
machine share, and nanoseconds of CPU time that this process has used. It exits when stdin is
closed.
"""

import argparse
import gc
import itertools
import os
import select
import socket
import sys
import time

from bench.cases.fanout import KINDS, Kind

READY = "ready"
_PIECE = 1 << 16
_TIMEOUT_SECONDS = 30


def main() -> None:
    """Connect, and print a line for each event that all connections have received."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", choices=KINDS, required=True)
    parser.add_argument("--port", type=int, required=True, action="append", dest="ports")
    parser.add_argument("--watchers", type=int, required=True)
    given = parser.parse_args()
    kind = KINDS[given.kind]
    ports = itertools.cycle(given.ports)
    watchers = [_watcher(kind, next(ports), number) for number in range(given.watchers)]
    gc.disable()
    print(READY, flush=True)
    _listen(kind, [each.fileno() for each in watchers])


def _watcher(kind: Kind, port: int, number: int) -> socket.socket:
    """A connection that the server has confirmed as a watcher."""
    sock = socket.create_connection(("127.0.0.1", port), _TIMEOUT_SECONDS)
    sock.sendall(kind.watch(number))
    seen = b""
    while kind.watching not in seen:
        piece = sock.recv(_PIECE)
        if not piece:
            sys.exit(f"the server closed a connection: {seen!r}")
        seen += piece
    sock.setblocking(False)
    return sock


def _listen(kind: Kind, watchers: list[int]) -> None:
    poll, read, end = select.epoll(), os.read, kind.end
    for fd in watchers:
        poll.register(fd, select.EPOLLIN)
    poll.register(sys.stdin.fileno(), select.EPOLLIN | select.EPOLLHUP)
    number = 0
    while True:
        mark, left, parts = kind.mark(number), len(watchers), dict[int, bytes]()
        while left:
            for fd, _ in poll.poll(_TIMEOUT_SECONDS):
                data = read(fd, _PIECE)
                if not data:
                    if fd == sys.stdin.fileno():
                        return
                    sys.exit("the server closed a connection")
                if fd in parts:
                    data = parts.pop(fd) + data
                if mark in data and data.endswith(end):
                    left -= 1
                else:
                    parts[fd] = data
        print(time.monotonic_ns(), time.process_time_ns(), flush=True)
        number += 1


if __name__ == "__main__":
    main()

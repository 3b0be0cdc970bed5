"""The minimal fan-out: sockets, an event loop, and events with the form and length of Originmap's.

A client that sends GET becomes a watcher. A PUT gets a response, and its address is then sent to
all watchers. Nothing is checked or stored, so this case shows the cost of the system and of the
benchmark's own reader.
"""

import selectors
import socket

from bench.anchors.anchor import arguments

_PIECE = 1 << 16
_WATCHING = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    b"d\r\n: originmap\n\n\r\n"
)
_BODY = b'{"success":true}'
_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(_BODY), _BODY)
_EVENT = b'id: 0123456789abcdef-42\nevent: changes\ndata: {"id":"%b","padding":"%b"}\n\n'
_PADDING = b"." * 400


def main() -> None:
    """Serve until the process is terminated."""
    _, port = arguments(__doc__)
    select, watchers = selectors.DefaultSelector(), list[socket.socket]()
    listener = socket.create_server(("127.0.0.1", port), backlog=2048)
    select.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in select.select():
            sock = key.fileobj
            assert isinstance(sock, socket.socket)
            if sock is listener:
                select.register(listener.accept()[0], selectors.EVENT_READ)
                continue
            data = sock.recv(_PIECE)
            if not data:
                select.unregister(sock)
                sock.close()
                watchers = [each for each in watchers if each is not sock]
            elif data.startswith(b"PUT"):
                sock.sendall(_ANSWER)
                _tell(watchers, data)
            elif data.startswith(b"GET /healthz"):
                sock.sendall(_ANSWER)
            else:
                sock.sendall(_WATCHING)
                watchers.append(sock)


def _tell(watchers: list[socket.socket], request: bytes) -> None:
    address = request.partition(b" HTTP")[0].rpartition(b"/")[2]
    event = _EVENT % (address, _PADDING)
    chunk = b"%x\r\n%b\r\n" % (len(event), event)
    for watcher in watchers:
        watcher.sendall(chunk)


if __name__ == "__main__":
    main()

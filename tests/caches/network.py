"""A network of three servers behind a cache: two upper tiers and an origin.

Each responds with its name. They listen on different loopback addresses, because a cache may refuse
an upper tier on one of its own addresses.
"""

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ADDRESSES = {"IAD": "127.0.1.1", "FRA": "127.0.2.1", "origin": "127.0.3.1"}


class Machine:
    """Responds to every GET with its name; it can be stopped and started."""

    def __init__(self, name: str, host: str = "", port: int = 0) -> None:
        self.name = name
        self.host = host or ADDRESSES[name]
        self.port = port or free_port(self.host)
        self._server: ThreadingHTTPServer | None = None
        self.start()

    @property
    def endpoint(self) -> str:
        return f"{self.host}:{self.port}"

    def start(self) -> None:
        """Start to listen, unless it already does."""
        if self._server is None:
            self._server = _Server((self.host, self.port), _handler(self.name))
            threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Refuse connections."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


def _handler(name: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        # Every connection is closed after its response, so that no connection is left after a stop.
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(name)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(name.encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


def free_port(host: str = "127.0.0.1") -> int:
    """A port without a listener."""
    with socket.socket() as sock:
        sock.bind((host, 0))
        port: int = sock.getsockname()[1]
        return port

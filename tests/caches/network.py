"""A network of three machines behind a cache: two upper tiers and an origin.

Each answers with its name. They listen on loopback addresses of their own, since a cache may
refuse an upper tier on an address that it takes for itself.
"""

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ADDRESSES = {"IAD": "127.0.1.1", "FRA": "127.0.2.1", "origin": "127.0.3.1"}


class Machine:
    """Answers every GET with its name, and can die and come back."""

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
        """Listen, if it does not."""
        if self._server is None:
            self._server = _Server((self.host, self.port), _handler(self.name))
            threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Refuse connections from now on."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


def _handler(name: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        # Every connection is closed after its answer, so that none outlives its machine.
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

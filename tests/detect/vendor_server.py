"""A fake web server of a vendor, with faults."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Page:
    """The response for a path; `drip` is the delay between single bytes of the body."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    drip: float = 0.0
    announced: int | None = None


class VendorServer:
    """The pages by path, the received requests as (path, conditions), and their number."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.pages: dict[str, Page] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.sent = 0
        self.stopped = threading.Event()


@contextmanager
def vendor_server() -> Iterator[VendorServer]:
    """Run the server inside the `with` block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            conditions = {
                name.lower(): value
                for name, value in self.headers.items()
                if name.lower().startswith("if-")
            }
            served.asked.append((self.path, conditions))
            page = served.pages.get(self.path, Page(status=404))
            if conditions and conditions.get("if-none-match") == page.headers.get("ETag"):
                page = Page(status=304)
            self.send_response(page.status)
            for name, value in page.headers.items():
                self.send_header(name, value)
            length = len(page.body) if page.announced is None else page.announced
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.send(page)
            served.sent += 1
            if page.announced is not None:
                self.close_connection = True

        def send(self, page: Page) -> None:
            if not page.drip:
                self.wfile.write(page.body)
                return
            for byte in page.body:
                if served.stopped.is_set():
                    raise ConnectionAbortedError
                self.wfile.write(bytes([byte]))
                time.sleep(page.drip)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            pass  # disconnected clients are part of the tests

    with Quiet(("127.0.0.1", 0), Handler) as server:
        served = VendorServer(f"http://127.0.0.1:{server.server_address[1]}")
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield served
        served.stopped.set()
        server.shutdown()

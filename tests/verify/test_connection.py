"""The requests of checks: sent byte for byte, within the rate limit, and never twice."""

import contextlib
import socket
import threading

import pytest

from originmap.client.connection import Credentials
from originmap.client.errors import Unreachable, Unreadable
from originmap.verify.connection import ProbeConnection
from originmap.verify.errors import Throttled
from originmap.verify.probe import Probe

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n%b\r\n{}"
BUSY = b"HTTP/1.1 429 Too Many\r\nContent-Length: 0\r\n%b\r\n"


class Raw:
    """A server that reads one request per connection and sends given bytes."""

    def __init__(self, *answers: bytes) -> None:
        self.requests: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.api = f"http://127.0.0.1:{self._socket.getsockname()[1]}/client/v4"
        self._thread = threading.Thread(target=self._serve, args=(answers,), daemon=True)
        self._thread.start()

    def _serve(self, answers: tuple[bytes, ...]) -> None:
        for answer in answers:
            connection, _ = self._socket.accept()
            with connection, contextlib.suppress(OSError):  # a client can stop reading earlier
                self.requests.append(connection.recv(65536))
                connection.sendall(answer)

    def close(self) -> None:
        self._thread.join(10)
        self._socket.close()


@pytest.fixture
def waited() -> list[float]:
    return []


def connection(server: Raw, waited: list[float]) -> ProbeConnection:
    return ProbeConnection(server.api, Credentials("token"), sleep=waited.append)


@pytest.mark.parametrize(
    "path",
    ["/zones/Z//a/", "/zones/Z/192.0.2.1%2F24", "/Z/2001%3Adb8%3A%3A1", "/Z/%20a%25eth0?page=%2B5"],
)
def test_a_path_is_sent_unchanged(path: str, waited: list[float]) -> None:
    server = Raw(OK % b"")
    with connection(server, waited) as probes:
        probes.send(Probe("GET", path))
    server.close()
    assert server.requests[0].startswith(f"GET /client/v4{path} HTTP/1.1\r\n".encode())
    assert b"\r\nAuthorization: Bearer token\r\n" in server.requests[0]


def test_an_unsigned_probe_has_its_own_credential_or_none(waited: list[float]) -> None:
    server = Raw(OK % b"", OK % b"")
    with connection(server, waited) as probes:
        probes.send(Probe("GET", "/", signed=False))
    with connection(server, waited) as probes:
        probes.send(Probe("GET", "/", None, (("Authorization", "Bearer x"),), signed=False))
    server.close()
    assert b"uthorization" not in server.requests[0]
    assert server.requests[1].count(b"Authorization: Bearer x\r\n") == 1


def test_the_connection_waits_if_the_rate_limit_is_used_up(waited: list[float]) -> None:
    server = Raw(OK % b'Ratelimit: "default";r=0;t=7\r\nConnection: close\r\n', OK % b"")
    with connection(server, waited) as probes:
        probes.send(Probe("GET", "/"))
        probes.send(Probe("GET", "/"))
    server.close()
    assert waited == [7.0]


def test_a_429_is_waited_for_and_not_returned(waited: list[float]) -> None:
    busy = BUSY % b"Retry-After: 9\r\nConnection: close\r\n"
    server = Raw(busy, BUSY % b"Connection: close\r\n", OK % b"")
    with connection(server, waited) as probes:
        assert probes.send(Probe("PUT", "/", b"{}")).status == 200
    server.close()
    assert waited == [9.0, 30.0]


def test_repeated_429_end_the_run(waited: list[float]) -> None:
    server = Raw(*[BUSY % b"Retry-After: 0\r\nConnection: close\r\n"] * 4)
    with connection(server, waited) as probes, pytest.raises(Throttled):
        probes.send(Probe("GET", "/"))
    server.close()


def test_a_wrong_credential_is_not_repeated_after_429(waited: list[float]) -> None:
    server = Raw(BUSY % b"Retry-After: 9\r\n")
    with connection(server, waited) as probes:
        assert probes.send(Probe("GET", "/", signed=False)).status == 429
    server.close()
    assert len(server.requests) == 1


def test_a_request_without_a_response_is_not_repeated(waited: list[float]) -> None:
    server = Raw(b"")
    with connection(server, waited) as probes, pytest.raises(Unreachable):
        probes.send(Probe("PUT", "/", b"{}"))
    server.close()
    assert len(server.requests) == 1


def test_the_size_of_a_response_is_limited(waited: list[float]) -> None:
    server = Raw(b"HTTP/1.1 200 OK\r\n\r\n" + b" " * (17 << 20))
    with connection(server, waited) as probes, pytest.raises(Unreadable, match="than 16 MiB"):
        probes.send(Probe("GET", "/"))
    server.close()

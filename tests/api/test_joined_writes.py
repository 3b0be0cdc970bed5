"""An answer's head and body leave in one write."""

import asyncio
from typing import cast

import pytest

from originmap.api.joined_writes import JoinedWrites

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n"
STREAM = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class _Transport:
    """Remembers what was written."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.writes.append(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


def _joined() -> tuple[_Transport, JoinedWrites]:
    transport = _Transport()
    return transport, JoinedWrites(cast(asyncio.Transport, transport))


def test_head_and_body_leave_in_one_write() -> None:
    transport, joined = _joined()
    joined.write(HEAD)
    joined.write(b"body")
    assert transport.writes == [HEAD + b"body"]


@pytest.mark.parametrize("head", [STREAM, CONTINUE, HEAD.replace(b"200 OK", b"304 Not Modified")])
def test_a_head_that_no_announced_body_follows_leaves_at_once(head: bytes) -> None:
    transport, joined = _joined()
    joined.write(head)
    joined.write(b"4\r\nmore\r\n")
    assert transport.writes == [head, b"4\r\nmore\r\n"]


def test_an_answer_after_100_continue_is_joined_too() -> None:
    transport, joined = _joined()
    for data in (CONTINUE, HEAD, b"body"):
        joined.write(data)
    assert transport.writes == [CONTINUE, HEAD + b"body"]


def test_closing_sends_what_waits() -> None:
    transport, joined = _joined()
    joined.write(HEAD)
    joined.close()
    assert (transport.writes, joined.is_closing()) == ([HEAD], True)

"""An answer's head and body leave in one write."""

import asyncio
from typing import cast

from originmap.api.joined_writes import JoinedWrites


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
    loop = asyncio.get_running_loop()
    return transport, JoinedWrites(cast(asyncio.Transport, transport), loop)


async def test_head_and_body_leave_in_one_write() -> None:
    transport, joined = _joined()
    joined.write(b"HTTP/1.1 200 OK\r\n\r\n")
    joined.write(b"body")
    await asyncio.sleep(0)
    assert transport.writes == [b"HTTP/1.1 200 OK\r\n\r\nbody"]


async def test_a_head_alone_leaves_in_the_next_turn_so_that_streams_start_at_once() -> None:
    transport, joined = _joined()
    joined.write(b"HTTP/1.1 200 OK\r\n\r\n")
    assert transport.writes == []
    await asyncio.sleep(0)
    joined.write(b"event")
    assert transport.writes == [b"HTTP/1.1 200 OK\r\n\r\n", b"event"]


async def test_closing_sends_what_waits() -> None:
    transport, joined = _joined()
    joined.write(b"HTTP/1.1 204 No Content\r\n\r\n")
    joined.close()
    assert (transport.writes, joined.is_closing()) == ([b"HTTP/1.1 204 No Content\r\n\r\n"], True)

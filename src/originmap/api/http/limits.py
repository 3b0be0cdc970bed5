"""Limits and timeouts of requests and responses."""

from typing import NamedTuple

MOST_CONNECTIONS = 8192


class Limits(NamedTuple):
    """Sizes in bytes, times in seconds."""

    url: int = 8 << 10
    headers: int = 16 << 10  # including the trailers of a chunked body
    swallowed: int = 16 << 20  # of a rejected body, before the client is disconnected
    header_seconds: float = 10.0  # from the first byte to the end of the headers
    body_seconds: float = 30.0  # from the end of the headers to the end of the body
    write_seconds: float = 30.0  # how long a response waits for the client to read it
    stalled_seconds: float = 10.0  # how long the client of a file can stop reading
    least_speed: int = 32 << 10  # minimum bytes per second of a file, apart from that
    connections: int = MOST_CONNECTIONS

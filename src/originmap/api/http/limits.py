"""Limits and timeouts of requests and responses, and the errors for exceeding them."""

from dataclasses import dataclass

from originmap.api import envelope, errors

BAD_REQUEST = errors.refusal(400, 10400, "The request is not HTTP/1.1, or its method is unknown.")
BAD_HOST = errors.refusal(400, 10400, "The request must have one Host header, HOST or HOST:PORT.")
INCOMPLETE = errors.refusal(400, 10400, "The request ended before it was complete.")
URL_TOO_LONG = errors.refusal(414, 10414, "The URL is too long.")
HEADERS_TOO_LARGE = errors.refusal(431, 10431, "The request headers are too large.")
TOO_SLOW = errors.refusal(408, 10408, "The request did not arrive in time.")
TOO_MANY = errors.Refusal(
    503,
    [envelope.Message(10503, "The server is busy. Please try again.")],
    (("Retry-After", "1"),),
)

MOST_CONNECTIONS = 8192


@dataclass(frozen=True, slots=True)
class Limits:
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

    @property
    def head(self) -> int:
        """Limit of the request line and the headers in bytes."""
        return self.url + self.headers


OPERATOR_LIMITS = Limits(url=1 << 20, connections=2 * MOST_CONNECTIONS)
"""For the operator's socket: no limit by other clients, and long URLs for many upper tiers."""

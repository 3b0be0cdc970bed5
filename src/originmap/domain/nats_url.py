"""The URL of NATS servers and a stream: nats://HOST:PORT[,HOST:PORT...][/STREAM].

The only module that parses such a URL. With the scheme tls the connection must be encrypted. User
and password are rejected: they would be in the list of processes and in logs.
"""

import re
from typing import NamedTuple

from originmap.domain.server_url import InvalidServerURL, parse, without_secrets

STREAM = "ORIGINMAP"
"""The default name of the stream."""
_SCHEMES = ("nats", "tls")
_DEFAULT_PORT = 4222
_MOST_SERVERS = 64
_STREAM = re.compile(r"[A-Za-z0-9_-]{1,64}")


class NatsURL(NamedTuple):
    """Servers of one NATS system, as (host, port), and the name of a stream."""

    scheme: str
    servers: tuple[tuple[str, int], ...]
    stream: str

    @property
    def addresses(self) -> list[str]:
        """A URL for each server."""
        return [f"{self.scheme}://{_bracketed(host)}:{port}" for host, port in self.servers]

    def __str__(self) -> str:
        servers = ",".join(f"{_bracketed(host)}:{port}" for host, port in self.servers)
        return f"{self.scheme}://{servers}/{self.stream}"


def is_nats(text: str) -> bool:
    """Whether a URL is one of NATS servers."""
    return text.strip().partition("://")[0].lower() in _SCHEMES


def check_stream(name: str) -> str:
    """Return the name of a stream. Raises InvalidServerURL."""
    if not _STREAM.fullmatch(name):
        raise InvalidServerURL(
            f"{name[:80]!r} is not the name of a stream: 1 to 64 letters, digits, _ and -"
        )
    return name


def parse_nats(text: str) -> NatsURL:
    """Parse a URL; without a stream, it is ORIGINMAP. Raises InvalidServerURL."""
    text = text.strip()
    scheme, _, rest = text.partition("://")
    if not is_nats(text):
        raise InvalidServerURL(f"{without_secrets(text)!r} does not start with nats:// or tls://")
    if "@" in rest or "%40" in rest:
        raise InvalidServerURL(
            f"{without_secrets(text)!r} has an @: remove the user and password, and use"
            " --nats-credentials"
        )
    authority, _, stream = rest.rstrip("/").partition("/")
    servers = authority.split(",")
    if len(servers) > _MOST_SERVERS:
        raise InvalidServerURL(f"{len(servers)} servers; the limit is {_MOST_SERVERS}")
    addresses = [parse(f"http://{server}") for server in servers]
    return NatsURL(
        scheme.lower(),
        tuple((address.host, address.given_port or _DEFAULT_PORT) for address in addresses),
        check_stream(stream) if stream else STREAM,
    )


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host

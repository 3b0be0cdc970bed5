"""Addresses of caches: a host, by name or IP address, and a port.

Names and addresses are checked strictly, so that exports can write them without escaping.
"""

import re
from socket import AF_INET, AF_INET6, inet_pton
from typing import NamedTuple

from originmap.domain import number

TEMPLATE_FIELD = "{colo}"
"""Replaced by a colo's code in lower case."""

_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_ENDPOINT = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+)):([0-9]{1,5})")
_LONGEST_NAME = 253


class Endpoint(NamedTuple):
    """A host, by name or address, and a port."""

    host: str
    port: int

    @property
    def text(self) -> str:
        """The text in the form of a URL, with an IPv6 address in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_address(self) -> bool:
        """Whether the host is an IP address, not a name."""
        return ":" in self.host or _is_digits(self.host)


def parse_endpoint(text: str) -> Endpoint | None:
    """Parse host:port, with an IPv6 address in brackets; None if `text` is anything else."""
    match = _ENDPOINT.fullmatch(text.lower())
    port = None if match is None else number.port(match[3])
    if match is None or port is None:
        return None
    host = match[1] or match[2]
    if bool(match[1]) != (":" in host) or not is_host(host):
        return None
    return Endpoint(host, port)


def is_host(host: str) -> bool:
    """Whether `host` is an IP address or a host name, in lower case."""
    if ":" in host:
        return _is_address(AF_INET6, host)
    if _is_digits(host):
        return _is_address(AF_INET, host)
    return len(host) <= _LONGEST_NAME and _NAME.fullmatch(host) is not None


def _is_digits(host: str) -> bool:
    return host.replace(".", "").isdecimal()


def _is_address(family: int, text: str) -> bool:
    try:
        inet_pton(family, text)
    except (OSError, UnicodeError, ValueError):
        return False
    return True

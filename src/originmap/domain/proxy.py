"""The proxy that the environment names for a server, if any.

HTTP_PROXY is for http:// servers, HTTPS_PROXY for https:// servers, ALL_PROXY for both; the names
in lower case take precedence, and NO_PROXY lists servers to connect to directly. Variables that do
not concern a server are not read for it, so an invalid one has no effect on it.

NO_PROXY is a list with commas or blanks. An entry is `*`, a name (which includes the names below
it, with or without a leading dot or `*.`), an IP address, or a prefix such as 10.0.0.0/8 or
::1/128. IPv6 addresses can be in brackets; a port limits an entry to that port. Malformed entries
match nothing.
"""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from originmap.domain.server_url import InvalidServerURL, ServerURL, parse, without_secrets

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_PORT = re.compile(r"(.+):([0-9]{1,5})")
_BRACKETS = re.compile(r"^\[([^\]]*)\](/[0-9]+)?$")
_SOCKS = ("socks5", "socks5h")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class InvalidProxy(ValueError):
    """An environment variable that does not name a proxy; `variable` is its name."""

    def __init__(self, variable: str, problem: str) -> None:
        super().__init__(problem)
        self.variable = variable


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy, and the variable that names it. `url` has neither user nor password."""

    variable: str
    url: str
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @property
    def is_socks(self) -> bool:
        """Whether the proxy uses SOCKS instead of HTTP."""
        return self.url.startswith(_SOCKS)


def proxy_for(server: ServerURL, environment: Mapping[str, str]) -> Proxy | None:
    """The proxy for requests to a server; None for a direct connection. Raises InvalidProxy."""
    for name in (f"{server.scheme}_proxy", "all_proxy"):
        variable, value = _value(name, environment)
        if value:
            _, exceptions = _value("no_proxy", environment)
            return None if _is_excepted(server, exceptions) else _read(variable, value)
    return None


def _value(name: str, environment: Mapping[str, str]) -> tuple[str, str]:
    """The name of a variable, in lower case if that is set, else in upper case; and its value."""
    variable = name if name in environment else name.upper()
    return variable, environment.get(variable, "").strip()


def _read(variable: str, value: str) -> Proxy:
    match = _SCHEME.match(value)
    scheme = match[1].lower() if match else "http"
    rest = value[match.end() :] if match else value
    userinfo, _, authority = rest.rpartition("@")
    user, _, password = userinfo.partition(":")
    if scheme not in ("http", "https", *_SOCKS):
        problem = (
            f"{without_secrets(value)!r}: scheme {scheme} is not supported; use http, https,"
            " socks5 or socks5h"
        )
        raise InvalidProxy(variable, problem)
    if "%40" in authority:
        problem = (
            f"{without_secrets(value)!r} is not the URL of a proxy: write @ before its host,"
            " not %40"
        )
        raise InvalidProxy(variable, problem)
    try:
        url = parse(f"{'http' if scheme in _SOCKS else scheme}://{authority}")
    except InvalidServerURL as error:
        problem = f"{without_secrets(value)!r} is not the URL of a proxy: {error}"
        raise InvalidProxy(variable, problem) from None
    origin = url.origin if scheme not in _SOCKS else url.origin.replace("http", scheme, 1)
    return Proxy(variable, origin, unquote(user), unquote(password))


def _is_excepted(server: ServerURL, exceptions: str) -> bool:
    return any(_matches(server, entry) for entry in re.split(r"[\s,]+", exceptions) if entry)


def _matches(server: ServerURL, entry: str) -> bool:
    if entry == "*":
        return True
    match = _SCHEME.match(entry)
    if match is not None:
        if match[1].lower() not in (server.scheme, "all"):
            return False
        entry = entry[match.end() :]
    network = _network(entry)
    with_port = None if network else _PORT.fullmatch(entry)
    if with_port is not None:
        if int(with_port[2]) != server.port:
            return False
        entry = with_port[1]
        network = _network(entry)
    if network is not None:
        return _contains(network, server.host)
    return _is_below(server.host, entry)


def _network(entry: str) -> Network | None:
    """The network that an entry names; None if it is not an address or a prefix."""
    try:
        return ipaddress.ip_network(_BRACKETS.sub(r"\1\2", entry), strict=False)
    except ValueError:
        return None


def _contains(network: Network, host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and network.version == 4:
        mapped = address.ipv4_mapped
        return mapped is not None and mapped in network
    return address in network


def _is_below(host: str, entry: str) -> bool:
    name = entry.lower().removeprefix("*").strip(".")
    host = host.lower().rstrip(".")
    return bool(name) and (host == name or (host.endswith(f".{name}") and not _network(host)))

"""The URL of a server that is asked over HTTP: where --follow, --url and --api lead.

The only module that reads such a URL. It has a scheme, a host, and perhaps a port and a path, which
is kept: a server may be reached through a proxy at https://example.net/originmap. A user and a
password, a query and a fragment are refused. What is refused is quoted without them, because they
may be secrets.
"""

import ipaddress
import re
from dataclasses import dataclass

from originmap.domain import number

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_HOST = re.compile(r"[A-Za-z0-9_.-]+")
_PATH = re.compile(r"(?:/(?:[!$&'()*+,;=:A-Za-z0-9._~-]|%[0-9A-Fa-f]{2})*)*")
_QUOTES = "\"'`“”‘’"
_DEFAULT_PORTS = {"http": 80, "https": 443}


class InvalidServerURL(ValueError):
    """A text that is not the URL of a server; the message says why, without any secret."""


@dataclass(frozen=True, slots=True)
class ServerURL:
    """The URL of a server. `host` has no brackets, `path` is empty or starts with a slash."""

    scheme: str
    host: str
    given_port: int | None
    path: str

    @property
    def port(self) -> int:
        """The port, also when the URL leaves it out."""
        return self.given_port or _DEFAULT_PORTS[self.scheme]

    @property
    def origin(self) -> str:
        """The URL without its path."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.given_port is None else f":{self.given_port}"
        return f"{self.scheme}://{host}{port}"

    def __str__(self) -> str:
        return self.origin + self.path


def parse(text: str) -> ServerURL:
    """The URL in `text`, without slashes at its end. Raises InvalidServerURL."""
    text = text.strip()
    _refuse_characters(text)
    found = _SCHEME.fullmatch(text)
    if found is None:
        raise InvalidServerURL(f"{without_secrets(text)!r} does not start with http:// or https://")
    scheme, rest = found[1].lower(), found[2]
    if scheme not in _DEFAULT_PORTS:
        raise InvalidServerURL(f"{without_secrets(text)!r}: the scheme must be http or https")
    authority, path = _split(text, rest)
    host, port = _host_and_port(authority)
    return ServerURL(scheme, host, port, path)


def without_secrets(text: str) -> str:
    """A text that should have been a URL, without user, password, query and fragment."""
    before, at, after = text.rpartition("@")
    if at:
        found = _SCHEME.match(before)
        text = f"{found[1]}://***@{after}" if found else f"***@{after}"
    shown, mark, _ = text.partition("?") if "?" in text else text.partition("#")
    return f"{shown}{mark}..." if mark else shown


def _refuse_characters(text: str) -> None:
    if not text:
        raise InvalidServerURL("it is empty")
    if text[0] in _QUOTES or text[-1] in _QUOTES:
        raise InvalidServerURL(f"{without_secrets(text)!r} has quotes around it: remove them")
    if not text.isprintable() or " " in text or "\\" in text:
        raise InvalidServerURL(
            f"{without_secrets(text)!r} has a blank, a backslash or another character that is in"
            " no URL"
        )


def _split(text: str, rest: str) -> tuple[str, str]:
    """Authority and path of what stands behind the scheme."""
    authority, slash, path = rest.partition("/")
    if "@" in rest:  # anywhere: a password may have slashes
        raise InvalidServerURL(
            f"{without_secrets(text)!r} has an @: a user or a password does not belong there"
        )
    for mark, name in (("?", "query"), ("#", "fragment")):
        if mark in rest:
            raise InvalidServerURL(f"{without_secrets(text)!r} has a {name}: remove it")
    path = (slash + path).rstrip("/")
    if not _PATH.fullmatch(path):
        raise InvalidServerURL(f"{text!r} has a path with characters that must be encoded as %XX")
    if {".", ".."}.intersection(path.split("/")):
        raise InvalidServerURL(f"{text!r} has a path with . or .. in it: remove them")
    return authority, path


def _host_and_port(authority: str) -> tuple[str, int | None]:
    if authority.startswith("["):
        host, bracket, port = authority[1:].partition("]")
        if not bracket or (port and not port.startswith(":")):
            raise InvalidServerURL(f"{authority!r} is not an IPv6 address in brackets")
        return _ipv6(host), _port(port[1:])
    if authority.count(":") > 1:
        raise InvalidServerURL(
            f"{authority!r}: an IPv6 address must be in brackets, as in http://[::1]:8787"
        )
    host, _, port = authority.partition(":")
    return _name(host), _port(port)


def _ipv6(host: str) -> str:
    try:
        address = ipaddress.IPv6Address(host)
    except ValueError:
        raise InvalidServerURL(f"[{host}] is not an IPv6 address in brackets") from None
    if address.scope_id is not None:
        raise InvalidServerURL(f"[{host}] has a zone (%), which is not supported in a URL")
    return host


def _name(host: str) -> str:
    if not host:
        raise InvalidServerURL("the URL has no host")
    try:
        encoded = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        encoded = ""
    if not _HOST.fullmatch(encoded):
        raise InvalidServerURL(f"{host!r} is not the name of a host")
    return encoded


def _port(text: str) -> int | None:
    if not text:
        return None
    port = number.port(text)
    if port is None:
        raise InvalidServerURL(f"{text!r} is not a port: a number from 1 to 65535")
    return port

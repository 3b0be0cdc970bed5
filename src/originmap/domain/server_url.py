"""The URL of an HTTP server: the value of --follow, --url and --api.

The only module that parses such a URL. It has a scheme, a host, and optionally a port and a path,
because a server can be behind a proxy at https://example.net/originmap. A user, a password, a query
and a fragment are rejected. Messages quote a rejected URL without them, because they can be
secrets.
"""

import ipaddress
import re
from typing import NamedTuple

from originmap.domain import number
from originmap.domain.zone.name import is_a_label

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_PATH = re.compile(r"(?:/(?:[!$&'()*+,;=:A-Za-z0-9._~-]|%[0-9A-Fa-f]{2})*)*")
_AT = re.compile("@|%40")
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_LONGEST_HOST = 253  # characters, RFC 1035 §2.3.4
_BEFORE_HOST = re.compile(
    r"['\"]?(?:(?:https?|nats|tls):/*|[A-Za-z][A-Za-z0-9+.-]*://)?", re.IGNORECASE
)
_IPV6 = r"\[[0-9A-Fa-f:.]*\]?|(?=[^/?#]*:[^/?#]*:)[0-9A-Fa-f:.]+"
# What is no host with a port can be a user with a password.
_HOST_AND_PORT = re.compile(rf"(?:{_IPV6}|[^:/?#\[\]'\"]*)(?::[0-9]{{0,5}})?(?:[/?#]|\Z)")
_LONGEST_PORT = 5  # digits
_QUOTES = "\"'`“”‘’"
_DEFAULT_PORTS = {"http": 80, "https": 443}


class InvalidServerURL(ValueError):
    """Not the URL of a server; the message says why, without secrets."""


class ServerURL(NamedTuple):
    """The URL of a server. `host` has no brackets, `path` is empty or starts with a slash."""

    scheme: str
    host: str
    given_port: int | None
    path: str

    @property
    def port(self) -> int:
        """The port, or the scheme's default port if the URL has none."""
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
    """Parse a URL, ignoring slashes at its end. Raises InvalidServerURL."""
    text = text.strip()
    _refuse_characters(text)
    match = _SCHEME.fullmatch(text)
    if match is None:
        raise InvalidServerURL(f"{without_secrets(text)!r} does not start with http:// or https://")
    scheme, rest = match[1].lower(), match[2]
    if scheme not in _DEFAULT_PORTS:
        raise InvalidServerURL(f"{without_secrets(text)!r}: the scheme must be http or https")
    authority, path = _split(text, rest)
    host, port = _host_and_port(authority)
    return ServerURL(scheme, host, port, path)


def without_secrets(text: str) -> str:
    """A malformed URL without user, password, query and fragment. All that follows a colon which
    has no port can be a password too, with its slashes."""
    scheme = _BEFORE_HOST.match(text)
    before = scheme[0] if scheme else ""
    *login, rest = _AT.split(text[len(before) :])
    if not _HOST_AND_PORT.match(rest):
        rest = "[***" if rest.startswith("[") else rest.partition(":")[0] + ":***"
    shown = f"{before}***@{rest}" if login else before + rest
    url, mark, _ = shown.partition("?") if "?" in shown else shown.partition("#")
    return f"{url}{mark}..." if mark else url


def _refuse_characters(text: str) -> None:
    if not text:
        raise InvalidServerURL("it is empty")
    if text[0] in _QUOTES or text[-1] in _QUOTES:
        raise InvalidServerURL(f"{without_secrets(text)!r} has quotes around it: remove them")
    if not text.isprintable() or " " in text or "\\" in text:
        raise InvalidServerURL(
            f"{without_secrets(text)!r} has a blank, a backslash or another character that a URL"
            " cannot have"
        )


def _split(text: str, rest: str) -> tuple[str, str]:
    """Split the part after the scheme into authority and path."""
    authority, slash, path = rest.partition("/")
    if "@" in rest or "%40" in authority:  # anywhere, because a password can have slashes
        raise InvalidServerURL(f"{without_secrets(text)!r} has an @: remove the user and password")
    for mark, name in (("?", "query"), ("#", "fragment")):
        if mark in rest:
            raise InvalidServerURL(f"{without_secrets(text)!r} has a {name}: remove it")
    path = (slash + path).rstrip("/")
    if not _PATH.fullmatch(path):
        problem = "a path with characters that must be encoded as %XX"
        raise InvalidServerURL(f"{without_secrets(text)!r} has {problem}")
    if {".", ".."}.intersection(path.split("/")):
        problem = "a path with . or .. in it: remove them"
        raise InvalidServerURL(f"{without_secrets(text)!r} has {problem}")
    return authority, path


def _host_and_port(authority: str) -> tuple[str, int | None]:
    if authority.startswith("["):
        host, bracket, port = authority[1:].partition("]")
        if not bracket or (port and not port.startswith(":")):
            raise InvalidServerURL(
                f"{without_secrets(authority)!r} is not an IPv6 address in brackets"
            )
        return _ipv6(host), _port(port[1:])
    if authority.count(":") > 1:
        raise InvalidServerURL(
            f"{without_secrets(authority)!r}: an IPv6 address must be in brackets, as in"
            " http://[::1]:8787"
        )
    host, _, port = authority.partition(":")
    return _name(host), _port(port)


def _ipv6(host: str) -> str:
    try:
        address = ipaddress.IPv6Address(host)
    except ValueError:
        raise InvalidServerURL(
            f"{without_secrets(f'[{host}]')} is not an IPv6 address in brackets"
        ) from None
    if address.scope_id is not None:
        raise InvalidServerURL("the IPv6 address has a zone (%), which is not supported: remove it")
    return host


def _name(host: str) -> str:
    if not host:
        raise InvalidServerURL("the URL has no host")
    try:
        encoded = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        encoded = ""
    labels = encoded.removesuffix(".").split(".")
    if len(encoded) > _LONGEST_HOST or not all(map(_LABEL.fullmatch, labels)):
        raise InvalidServerURL(f"{host!r} is not a host name")
    # HTTP clients do not accept names that IDNA 2008 does not allow, such as one with an emoji.
    if not all(is_a_label(each) for each in labels if each.lower().startswith("xn--")):
        raise InvalidServerURL(f"{host!r} is not a host name")
    return encoded


def _port(text: str) -> int | None:
    if not text:
        return None
    port = number.port(text)
    if port is None:
        shown = f"{text!r} is not a port"
        if not text.isdigit():
            shown = "the port is not a number"
        elif len(text) > _LONGEST_PORT:
            shown = f"a number of {len(text)} digits is not a port"
        raise InvalidServerURL(f"{shown}: write a number from 1 to 65535")
    return port

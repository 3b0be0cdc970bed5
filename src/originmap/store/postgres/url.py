"""Parsing and redaction of a PostgreSQL URL, which may contain a password.

Owns the syntax of the URL; `store.postgres.parameters` owns the meaning of its parameters.
"""

import re
from typing import NamedTuple
from urllib.parse import unquote

from originmap.domain import number
from originmap.domain.errors import StoreUnusable

_SCHEMES = ("postgresql://", "postgres://")
_HOST = re.compile(r"\[(?P<v6>[^\]]+)\](?P<more>.*)|(?P<name>[^:\[\]]*)(?P<rest>.*)", re.DOTALL)


class DatabaseURL(NamedTuple):
    """A parsed and decoded URL. `hosts` are names with a port, which may be ""."""

    user: str
    password: str
    hosts: tuple[tuple[str, str], ...]
    database: str
    parameters: dict[str, str]


def is_postgres(db: str) -> bool:
    """Report whether `db` names a PostgreSQL database."""
    return db.startswith(_SCHEMES)


def unreadable(why: str, remedy: str = "") -> StoreUnusable:
    """Return an error about a malformed URL. It does not quote the URL, because the position of the
    password is unknown."""
    write = "write postgresql://user@host:5432/name; in a password @ is %40, / is %2F, # is %23"
    return StoreUnusable(
        "postgresql://…", f"the URL cannot be read: {why}" + (remedy and f": {remedy}"), write
    )


def read_url(url: str) -> DatabaseURL:
    """Parse a URL. Raises StoreUnusable, which quotes no part of it."""
    rest = url.partition("://")[2]
    _check_characters(url, rest)
    place, _, query = rest.partition("?")
    authority, _, database = place.partition("/")
    _check_places(authority, database, query)
    login, _, hosts = authority.rpartition("@")
    user, _, password = login.partition(":")
    return DatabaseURL(
        _decoded(user), _decoded(password), _hosts(hosts), _decoded(database), _parameters(query)
    )


def _check_characters(url: str, rest: str) -> None:
    if url != url.strip():
        raise unreadable("it begins or ends with white space", "remove it")
    if re.search(r"[\s\x00-\x1f\x7f]", rest):
        raise unreadable("it has an unescaped space", "write %20 in the password")
    if re.search(r"[\"<>`\u2018\u2019\u201c\u201d]|'$", rest):
        raise unreadable("it has an unescaped quotation mark", "write %22 in the password")
    if "#" in rest:
        raise unreadable("it has an unescaped #", "write %23 in the password")
    if "%00" in rest:
        raise unreadable("it has %00, a character that PostgreSQL does not accept")
    if re.search("%(?![0-9A-Fa-f]{2})", rest):
        raise unreadable(
            "it has a % that is not followed by two hexadecimal digits",
            "write %25 in the password",
        )


def _check_places(authority: str, database: str, query: str) -> None:
    """Raises StoreUnusable if an unescaped character of the password splits the URL."""
    if (authority + database).count("@") > 1:
        raise unreadable("the URL has more than one @", "write %40 in the password")
    if "@" in database:
        raise unreadable("it has an unescaped / before its @", "write %2F in the password")
    if authority and "@" in query and not database and "@" not in authority:
        raise unreadable("it has an unescaped ? before its @", "write %3F in the password")
    if re.search(r"[\[\]].*@", authority):
        raise unreadable(
            "it has an unescaped [ or ] before its @", "write %5B and %5D in the password"
        )


def _hosts(text: str) -> tuple[tuple[str, str], ...]:
    if not text:
        return ()
    listed = [_host(each) for each in text.split(",")]
    if len(listed) > 1 and not all(name for name, _ in listed):
        raise unreadable("a host in its list is empty")
    return tuple(listed)


def _host(text: str) -> tuple[str, str]:
    match = _HOST.fullmatch(text)
    assert match is not None
    name, port = (match["v6"], match["more"]) if match["v6"] else (match["name"], match["rest"])
    if port.count(":") > 1:
        raise unreadable("an IPv6 address is not in brackets", "write [::1]")
    if "[" in port or "]" in port or (port and not port.startswith(":")):
        raise unreadable("a host has a bracket that does not belong to an IPv6 address")
    check_port(port.removeprefix(":"), unreadable("a port is not a number from 1 to 65535"))
    return _decoded(name), port.removeprefix(":")


def check_port(port: str, error: StoreUnusable) -> None:
    """Raises `error` unless `port` is a port or empty."""
    if port and number.port(port) is None:
        raise error


def _parameters(query: str) -> dict[str, str]:
    parameters = {}
    for piece in filter(None, query.split("&")):
        name, equals, value = piece.partition("=")
        if not equals or not re.fullmatch("[A-Za-z_.]{1,40}", _decoded(name)):
            raise unreadable("a parameter after its ? is not NAME=VALUE")
        parameters[_decoded(name)] = _decoded(value)
    return parameters


def _decoded(text: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise unreadable("its %-encoded characters are not UTF-8") from None


def redacted(db: str) -> str:
    """Return `db` for messages and logs, without passwords.

    It also covers passwords with characters that should have been escaped: everything before the
    last "@" counts as user and password.
    """
    if not is_postgres(db):
        return db
    scheme, _, rest = db.partition("://")
    login, at, place = rest.rpartition("@")
    user, colon, _ = login.partition(":")
    shown = f"{scheme}://{user}{':***' if colon else ''}{at}{place}"
    start, mark, query = shown.partition("?")
    return start + mark + "&".join(map(_hidden, query.split("&")))


def _hidden(piece: str) -> str:
    name, equals, _ = piece.partition("=")
    return f"{name}{equals}***" if unquote(name).lower().endswith("password") else piece

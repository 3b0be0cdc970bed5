"""How a PostgreSQL database is named: a URL, which may hold a password that nobody is to see."""

import re

_SCHEMES = ("postgresql://", "postgres://")


def is_postgres(db: str) -> bool:
    """Whether `db` names a PostgreSQL database."""
    return db.startswith(_SCHEMES)


def each_server(url: str) -> list[str]:
    """A URL for each server that `url` names: host1:5432,host2:5432 makes two."""
    found = re.fullmatch(r"(\w+://(?:[^/?@]*@)?)([^/?]*)(.*)", url, flags=re.DOTALL)
    if found is None:
        return [url]
    start, hosts, rest = found.groups()
    return [f"{start}{host}{rest}" for host in hosts.split(",")]


def redacted(db: str) -> str:
    """`db` as it may be printed and logged: without a password, wherever it stands.

    Passwords with characters that a URL should have escaped are covered too: the part before the
    last "@" counts as user and password.
    """
    if not is_postgres(db):
        return db
    scheme, _, rest = db.partition("://")
    login, at, place = rest.rpartition("@")
    user, colon, _ = login.partition(":")
    shown = f"{scheme}://{user}{':***' if colon else ''}{at}{place}"
    return re.sub("(password=)[^&]*", r"\1***", shown, flags=re.IGNORECASE)

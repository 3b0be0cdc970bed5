"""Validation of the name of a database.

A path is a SQLite file, a postgresql:// URL is a database on a server, and `:memory:` is not
persistent. A misspelled URL or one of another kind would otherwise become a file whose name
contains a password. To use a file with such a name, write ./NAME or the full path.
"""

import re

from originmap.domain.errors import StoreUnusable
from originmap.store.postgres.url import is_postgres

MEMORY = ":memory:"

_AROUND = " \t\r\n'\"`<>\u2018\u2019\u201c\u201d\u00a0\u200b\ufeff"
_KNOWN = (
    r"(?:jdbc|odbc|postgres|postgresql|postgre|pgsql|psql|pg|cockroachdb|yugabytedb|redshift|mysql|"
    r"mariadb|sqlite|sqlite3|file|oracle|mssql|sqlserver|mongodb|redis|rediss|https?)"
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+(?=:)")
_SIGNS = (
    re.compile(r"[a-z][a-z0-9+.-]+:[/\\]"),  # a scheme; a single letter is a Windows drive
    re.compile(rf"{_KNOWN}(?:\+\w+)?(?::|//)"),
    re.compile(r".*://", re.DOTALL),
    re.compile(r".*:.*@", re.DOTALL),  # user:password@host
    re.compile(
        r".*\b(?:host|hostaddr|server|data source|dbname|database|user|user id|username|uid|"
        r"password|passwd|pwd|service|sslmode|driver)\s*=",
        re.DOTALL,
    ),
)
_WRITE = "write postgresql://user@host:5432/name"
_UNNAMED = "the given database"


def check_name(db: str) -> None:
    """Raises StoreUnusable, without quoting `db`, if `db` cannot be the name of a database."""
    if db != MEMORY and not is_postgres(db) and _is_unsupported(db):
        reason = f"not a supported database: {_WRITE}, or the path of a file"
        hint = (
            "remove quotation marks and spaces around it; for a file with such a name, write ./NAME"
        )
        raise StoreUnusable(_shown(db), reason, hint)


def _is_unsupported(db: str) -> bool:
    if db.startswith(("./", "../")):
        return False
    text = db.strip(_AROUND).lower()
    if text.startswith("/") and not text.startswith("//"):
        return "://" in text
    return any(sign.match(text) for sign in _SIGNS)


def _shown(db: str) -> str:
    """Return the scheme, the only part that is certain not to be secret."""
    scheme = _SCHEME.match(db.strip(_AROUND))
    if scheme is None or not _SIGNS[0].match(scheme[0].lower() + ":/"):
        return _UNNAMED
    is_scheme = _SIGNS[1].match(scheme[0].lower() + ":") or f"{scheme[0]}:/" in db
    return f"{scheme[0]}:…" if is_scheme else _UNNAMED

"""What may name a database, and what is never taken for the name of a file.

A path is a SQLite file, a postgresql:// URL a database on a server, `:memory:` keeps nothing. A
URL of another kind, or one that is misspelled, would otherwise become a file whose name holds a
password. A file that has such a name is given as ./NAME or by its full path.
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
    re.compile(r"[a-z][a-z0-9+.-]+:[/\\]"),  # a scheme; one letter is a drive
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


def check_name(db: str) -> None:
    """Raises StoreUnusable, which does not quote `db`, where it names no database that there can
    be."""
    if db != MEMORY and not is_postgres(db) and _is_unsupported(db):
        reason = f"not a supported database: {_WRITE}, or the path of a file"
        hint = "no quotation marks or blanks around it; a file with such a name is given as ./NAME"
        raise StoreUnusable(_shown(db), reason, hint)


def _is_unsupported(db: str) -> bool:
    if db.startswith(("./", "../")):
        return False
    text = db.strip(_AROUND).lower()
    if text.startswith("/") and not text.startswith("//"):
        return "://" in text
    return any(sign.match(text) for sign in _SIGNS)


def _shown(db: str) -> str:
    """The scheme, which alone is sure to be no secret."""
    found = _SCHEME.match(db.strip(_AROUND))
    if found is None or not _SIGNS[0].match(found[0].lower() + ":/"):
        return "what was given as the database"
    is_scheme = _SIGNS[1].match(found[0].lower() + ":") or f"{found[0]}:/" in db
    return f"{found[0]}:…" if is_scheme else "what was given as the database"

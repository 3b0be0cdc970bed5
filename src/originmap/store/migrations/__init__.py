"""Numbered SQL files that migrate a database from empty to the current schema.

Files for SQLite end in .sql, files for PostgreSQL in .pg.sql.
"""

import re
from pathlib import Path
from typing import NamedTuple

_NAME = re.compile(r"(\d{4})_\w+(\.sql|\.pg\.sql)")


class Migration(NamedTuple):
    """One migration; `version` is the schema version after it."""

    version: int
    sql: str


def all_migrations(ending: str = ".sql") -> list[Migration]:
    """Return all migrations of one kind of database, in order."""
    migrations = []
    for file in Path(__file__).parent.iterdir():
        match = _NAME.fullmatch(file.name)
        if match and match[2] == ending:
            migrations.append(Migration(int(match[1]), file.read_text("utf-8")))
    return sorted(migrations)

"""Numbered SQL files that bring a database from nothing to the present form."""

import re
from importlib import resources
from typing import NamedTuple

_NAME = re.compile(r"(\d{4})_\w+\.sql")


class Migration(NamedTuple):
    """One step; `version` is what the database is at after it."""

    version: int
    sql: str


def all_migrations() -> list[Migration]:
    """Every step, in order."""
    found = []
    for file in resources.files(__name__).iterdir():
        if match := _NAME.fullmatch(file.name):
            found.append(Migration(int(match[1]), file.read_text("utf-8")))
    return sorted(found)

"""How changes of mappings are printed."""

import datetime
from typing import Any

from originmap.cli import options


def place(value: dict[str, str] | None) -> str:
    """A place, "-" for none."""
    return f"{value['vendor']} {value['region']}" if value else "-"


def moment(timestamp: str) -> str:
    """A time of the API as it is printed: 2026-08-22T15:17:05Z"""
    return options.shown(datetime.datetime.fromisoformat(timestamp))


def shown(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its places as text."""
    return row | {"before": place(row["before"]), "after": place(row["after"])}

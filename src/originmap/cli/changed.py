"""How changes of mappings are printed."""

import datetime
from typing import Any

from originmap.cli import options


def place(value: dict[str, str] | None) -> str:
    """A place, "-" for none."""
    return f"{value['vendor']} {value['region']}" if value else "-"


def moment(microseconds: int) -> str:
    """A time in UTC: 2026-08-22T15:17:05Z"""
    return options.shown(datetime.datetime.fromtimestamp(microseconds / 1e6, datetime.UTC))


def shown(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its places as text."""
    return row | {"before": place(row["before"]), "after": place(row["after"])}

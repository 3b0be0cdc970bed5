"""Reads an operator's additional regions from a CSV file, and checks each line."""

import math
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from originmap.domain.csv_table import BrokenRow, CSVRow, heading, read_table
from originmap.domain.encoding import NotText, decode
from originmap.domain.errors import OriginmapError
from originmap.domain.mapping.catalogue import Region, RegionStatus

_REQUIRED = ("vendor", "region", "latitude", "longitude")
_COLUMNS = (*_REQUIRED, "title", "city", "country", "status")
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"-?[0-9]{1,3}(?:\.[0-9]{1,12})?")
_COUNTRY = re.compile("(?:[A-Z]{2})?")
_MAX_BYTES = 1 << 20


class UnusableRegions(OriginmapError):
    """An invalid regions file; `problems` lists all problems."""

    page = "catalogue.md"

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
        self.hint = (
            f"the first line must be {','.join(_REQUIRED)}, optionally with"
            f" {', '.join(_COLUMNS[4:])}; docs/catalogue.md has an example"
        )


def read_regions(file: Path, vendors: Collection[str]) -> list[Region]:
    """Read the regions in a file. Raises UnusableRegions."""
    rows = read_table(_text(file), _COLUMNS).rows()
    regions: dict[tuple[str, str], Region] = {}
    problems: list[str] = []
    try:
        line, cells = next(rows, CSVRow(1, []))
        names = heading(cells)
        if wrong := _wrong_columns(names):
            raise UnusableRegions([f"{file}:{line}: {wrong}"])
        for line, cells in rows:
            row = dict(zip(names, cells, strict=False))
            wrong_here = _wrong_count(names, cells) or list(_wrong(row, vendors))
            key = (row.get("vendor", ""), row.get("region", ""))
            if not wrong_here and key in regions:
                wrong_here = [f"duplicate region {' '.join(key)}"]
            problems += [f"{file}:{line}: {text}" for text in wrong_here]
            if not wrong_here:
                regions[key] = _region(row, str(file))
    except BrokenRow as error:
        raise UnusableRegions([f"{file}:{error.line}: {error}"]) from None
    if problems:
        raise UnusableRegions(problems)
    return list(regions.values())


def _text(file: Path) -> str:
    try:
        data = file.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UnusableRegions([f"{file}: {reason}"]) from None
    if len(data) > _MAX_BYTES:
        raise UnusableRegions([f"{file}: larger than {_MAX_BYTES >> 20} MiB"])
    try:
        return decode(data)
    except NotText as error:
        raise UnusableRegions([f"{file}: {error}"]) from None


def _wrong_columns(names: list[str]) -> str:
    missing = [name for name in _REQUIRED if name not in names]
    unknown = [name for name in names if name not in _COLUMNS]
    if missing:
        return f"missing columns: {', '.join(missing)}"
    if unknown:
        return f"unknown columns: {', '.join(unknown)}; use {', '.join(_COLUMNS)}"
    if len(names) != len(set(names)):
        return f"a column occurs twice: {', '.join(names)}"
    return ""


def _wrong_count(names: list[str], cells: list[str]) -> list[str]:
    """A problem if the number of values is wrong. Spreadsheets can add empty cells."""
    if len(cells) >= len(names) and not any(cells[len(names) :]):
        return []
    return [f"{len(cells)} values in a table of {len(names)} columns"]


def _wrong(row: dict[str, str], vendors: Collection[str]) -> Iterator[str]:
    checks: dict[str, tuple[Callable[[str], object], str]] = {
        "vendor": (lambda text: text in vendors, f"one of {', '.join(vendors)}"),
        "region": (_NAME.fullmatch, "a region as the vendor writes it: a-z, 0-9 and hyphens"),
        "latitude": (lambda text: _degrees(text, 90), "degrees from -90 to 90"),
        "longitude": (lambda text: _degrees(text, 180), "degrees from -180 to 180"),
        "country": (_COUNTRY.fullmatch, "two capital letters"),
        "status": (lambda text: text in ("", *RegionStatus), f"one of {', '.join(RegionStatus)}"),
    }
    for name, (check, valid) in checks.items():
        if name in row and not check(row[name]):
            yield f"{name} {row[name]!r}: must be {valid}"
    for name in ("title", "city"):
        if not row.get(name, "").isprintable():
            yield f"{name} {row[name]!r}: must have no control characters"


def _degrees(text: str, most: int) -> bool:
    return bool(_NUMBER.fullmatch(text)) and math.fabs(float(text)) <= most


def _region(row: dict[str, str], source: str) -> Region:
    return Region(
        row["vendor"],
        row["region"],
        row.get("title") or row["region"],
        row.get("city", ""),
        row.get("country", ""),
        float(row["latitude"]),
        float(row["longitude"]),
        RegionStatus(row.get("status") or "public"),
        source,
    )

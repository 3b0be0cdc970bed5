"""Reads the CSV form of a file of mappings: the columns zone, origin_ip, vendor, region, in any
order, and a comment where there is one (RFC 4180).

Spreadsheets write other separators than commas, name theirs in a first line `sep=;`, and leave
empty rows and columns behind; all of that is read.
"""

import csv
import io
import re
from collections.abc import Iterator
from typing import NamedTuple

from originmap.mapfile.document import AUTO, Document
from originmap.mapfile.errors import Where

COLUMNS = ("zone", "origin_ip", "vendor", "region")
_COMMENT = "comment"
_SEPARATORS: tuple[str, ...] = (",", ";", "\t", "|")
_SEPARATOR_LINE = re.compile(r'\s*"?sep=(?P<separator>[^\r\n"])"?[,;\t|]*\s*', re.IGNORECASE)


class _Row(NamedTuple):
    """The cells of a row, and the line it begins in."""

    line: int
    cells: list[str]


def read(file: str, text: str, document: Document) -> None:
    """Add what a file says to a document, problems included."""
    lines = list(io.StringIO(text, newline=""))  # str.splitlines knows more ends than CSV has
    separators, before = _SEPARATORS, 0
    if lines and (named := _SEPARATOR_LINE.fullmatch(lines[0])):
        separators, before = (named["separator"], *_SEPARATORS), 1
    separator = max(separators, key=lambda each: _known_names(lines[before:], each))
    rows = _rows(lines, before, separator)
    try:
        line, cells = next(rows, _Row(before + 1, []))
        heading = _names(cells)
        if _checked(Where(file, line, 1), heading, document):
            _read_rows(file, lines, rows, heading, separator, document)
    except _BrokenRow as error:
        document.problem(Where(file, error.line, 1), f"not CSV: {error}")


class _BrokenRow(ValueError):
    """A row that is not CSV."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


def _rows(lines: list[str], before: int, separator: str) -> Iterator[_Row]:
    """The rows that are not empty, after the first lines. Raises _BrokenRow."""
    rows = csv.reader(lines[before:], delimiter=separator, skipinitialspace=True, strict=True)
    line = before + 1
    try:
        for cells in rows:
            if any(cell.strip() for cell in cells):
                yield _Row(line, [cell.strip() for cell in cells])
            line = before + rows.line_num + 1
    except csv.Error as error:
        raise _BrokenRow(before + max(rows.line_num, 1), str(error)) from None


def _names(cells: list[str]) -> list[str]:
    """The names of columns in a heading, as they are known here."""
    names = [re.sub(r"[\s-]+", "_", cell.lower()) for cell in cells]
    while names and not names[-1]:
        names.pop()
    return names


def _known_names(lines: list[str], separator: str) -> int:
    """How many columns the first row has that are known, if this separates them."""
    try:
        _, cells = next(_rows(lines, 0, separator), _Row(1, []))
    except _BrokenRow:
        return 0
    return len({*COLUMNS, _COMMENT}.intersection(_names(cells)))


def _checked(where: Where, heading: list[str], document: Document) -> bool:
    """Whether there are the columns that are needed, and no others."""
    if len(heading) == 1 and all(name in heading[0] for name in COLUMNS):
        why = "unknown separator: columns are separated by a comma, a semicolon, a tab or |"
        if any(separator in heading[0] for separator in _SEPARATORS):
            why = "each row is in quotes, so it is one cell: remove the quotes around rows"
        document.problem(where, f"{why}; not as in {heading[0]!r}")
        return False
    named = [name for name in heading if name]
    missing = [name for name in COLUMNS if name not in named]
    unknown = [name for name in named if name not in (*COLUMNS, _COMMENT)]
    if missing:
        document.problem(where, f"missing columns: {', '.join(missing)}")
    if unknown:
        document.problem(where, f"unknown columns: {', '.join(map(repr, unknown))}")
    if len(set(named)) != len(named):
        document.problem(where, "a column is there twice")
    return not missing and not unknown and len(set(named)) == len(named)


def _read_rows(
    file: str,
    lines: list[str],
    rows: Iterator[_Row],
    heading: list[str],
    separator: str,
    document: Document,
) -> None:
    for line, cells in rows:
        if (wrong := _wrong_cells(cells, heading)) is not None:
            document.problem(Where(file, line, 1), wrong)
            continue
        row = dict(zip(heading, cells, strict=False))
        at = dict(zip(heading, _columns(lines[line - 1], separator), strict=False))
        zone = document.zone(row["zone"], Where(file, line, at.get("zone", 1)))
        where = Where(file, line, at.get("vendor" if row["region"] == AUTO else "region", 1))
        place = document.place(row["vendor"], row["region"], where)
        where = Where(file, line, at.get("origin_ip", 1))
        document.origin(zone, row["origin_ip"], place, row.get(_COMMENT, ""), where)


def _wrong_cells(cells: list[str], heading: list[str]) -> str | None:
    """Why these cells do not fit the heading. A comment, or what has no name, may be absent."""
    needed = max(heading.index(name) for name in COLUMNS) + 1
    if len(cells) < needed or any(cells[len(heading) :]):
        return f"{len(cells)} cells under {len(heading)} columns"
    for number, (cell, name) in enumerate(zip(cells, heading, strict=False), 1):
        if cell and not name:
            return f"column {number} has no name, but {cell!r} in it"
    return None


def _columns(line: str, separator: str) -> list[int]:
    """The column, counted in characters from 1, at which each cell of a line begins."""
    starts, quoted = [1], False
    for at, character in enumerate(line, 2):
        if character == '"':
            quoted = not quoted
        elif character == separator and not quoted:
            starts.append(at)
    return starts

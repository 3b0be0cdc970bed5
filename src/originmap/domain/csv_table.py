"""Rows of CSV as spreadsheets write them (RFC 4180), for every CSV file that is read.

Spreadsheets write other separators than commas, name theirs in a first line `sep=;`, and leave
empty rows and columns behind. What the columns mean is left to those who read them.
"""

import csv
import io
import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

SEPARATORS: tuple[str, ...] = (",", ";", "\t", "|")
_SEPARATOR_LINE = re.compile(r'\s*"?sep=(?P<separator>[^\r\n"])"?[,;\t|]*\s*', re.IGNORECASE)


class CSVRow(NamedTuple):
    """The cells of a row, and the line it begins in."""

    line: int
    cells: list[str]


class BrokenRow(ValueError):
    """A row that is not CSV."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


class Table(NamedTuple):
    """A text as a table: its lines, what separates its columns, and how many lines are before
    the heading because they name the separator."""

    lines: list[str]
    separator: str
    before: int

    def rows(self) -> Iterator[CSVRow]:
        """The rows that are not empty, the heading first. Raises BrokenRow."""
        return _rows(self.lines, self.before, self.separator)


def read_table(text: str, known: Collection[str]) -> Table:
    """The table that a text is, by the names of columns that are known."""
    lines = list(io.StringIO(text, newline=""))  # str.splitlines knows more ends than CSV has
    separators, before = SEPARATORS, 0
    if lines and (named := _SEPARATOR_LINE.fullmatch(lines[0])):
        separators, before = (named["separator"], *SEPARATORS), 1
    separator = max(separators, key=lambda each: _known_names(lines[before:], each, known))
    return Table(lines, separator, before)


def heading(cells: list[str]) -> list[str]:
    """The names of columns in a heading, in one form."""
    names = [re.sub(r"[\s-]+", "_", cell.lower()) for cell in cells]
    while names and not names[-1]:
        names.pop()
    return names


def _rows(lines: list[str], before: int, separator: str) -> Iterator[CSVRow]:
    rows = csv.reader(lines[before:], delimiter=separator, skipinitialspace=True, strict=True)
    line = before + 1
    try:
        for cells in rows:
            if any(cell.strip() for cell in cells):
                yield CSVRow(line, [cell.strip() for cell in cells])
            line = before + rows.line_num + 1
    except csv.Error as error:
        raise BrokenRow(before + max(rows.line_num, 1), str(error)) from None


def _known_names(lines: list[str], separator: str, known: Collection[str]) -> int:
    """How many columns the first row has that are known, if this separates them."""
    try:
        _, cells = next(_rows(lines, 0, separator), CSVRow(1, []))
    except BrokenRow:
        return 0
    return len(set(known).intersection(heading(cells)))

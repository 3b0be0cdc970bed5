"""Rows of CSV (RFC 4180) as spreadsheets write it: the reader of every CSV file.

Spreadsheets use separators other than commas, name theirs in a first line `sep=;`, and leave empty
rows and columns. The meaning of the columns is left to the callers.
"""

import csv
import io
import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

SEPARATORS: tuple[str, ...] = (",", ";", "\t", "|")
_SEPARATOR_LINE = re.compile(r'\s*"?sep=(?P<separator>[^\r\n"])"?[,;\t|]*\s*', re.IGNORECASE)


class CSVRow(NamedTuple):
    """The cells of a row, and the number of its first line."""

    line: int
    cells: list[str]


class BrokenRow(ValueError):
    """A row that is not CSV, and the number of its first line."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


class Table(NamedTuple):
    """A text as a table: its lines, the separator of its columns, and the number of lines before
    the heading (1 if the first line names the separator)."""

    lines: list[str]
    separator: str
    before: int

    def rows(self) -> Iterator[CSVRow]:
        """The rows that are not empty, the heading first. Raises BrokenRow."""
        return _rows(self.lines, self.before, self.separator)


def read_table(text: str, known: Collection[str]) -> Table:
    """Read a text as a table. The separator is the one that yields most of the `known` names of
    columns."""
    lines = list(io.StringIO(text, newline=""))  # str.splitlines splits at more than line ends
    separators, before = SEPARATORS, 0
    if lines and (named := _SEPARATOR_LINE.fullmatch(lines[0])):
        separators, before = (named["separator"], *SEPARATORS), 1
    separator = max(separators, key=lambda each: _known_names(lines[before:], each, known))
    return Table(lines, separator, before)


def heading(cells: list[str]) -> list[str]:
    """The normalized names of the columns in a heading."""
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
        last = before + rows.line_num
        # Only a cell in quotes has more than one line, so one of them is probably missing.
        quote = (
            f"; a quote makes it one row up to line {last}: is it closed?" if last > line else ""
        )
        raise BrokenRow(line, f"{error}{quote}") from None


def _known_names(lines: list[str], separator: str, known: Collection[str]) -> int:
    """The number of known names of columns in the first row, with this separator."""
    try:
        _, cells = next(_rows(lines, 0, separator), CSVRow(1, []))
    except BrokenRow:
        return 0
    return len(set(known).intersection(heading(cells)))

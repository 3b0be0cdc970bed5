"""Reads mappings files in CSV: the columns zone, origin_ip, vendor and region, and optionally
comment, in any order.
"""

from collections.abc import Iterator

from originmap.domain.csv_table import SEPARATORS, BrokenRow, CSVRow, heading, read_table
from originmap.mapfile.document import AUTO, Document
from originmap.mapfile.errors import Where

COLUMNS = ("zone", "origin_ip", "vendor", "region")
_COMMENT = "comment"


def read(file: str, text: str, document: Document) -> None:
    """Add the content of a file to a document, including its problems."""
    table = read_table(text, (*COLUMNS, _COMMENT))
    rows = table.rows()
    try:
        line, cells = next(rows, CSVRow(table.before + 1, []))
        names = heading(cells)
        if _checked(Where(file, line, 1), names, document):
            _read_rows(file, table.lines, rows, names, table.separator, document)
    except BrokenRow as error:
        document.problem(Where(file, error.line, 1), f"not CSV: {error}")


def _checked(where: Where, names: list[str], document: Document) -> bool:
    """Whether the heading has the required columns, and no unknown ones."""
    if len(names) == 1 and all(name in names[0] for name in COLUMNS):
        why = "unknown separator: use a comma, a semicolon, a tab or |"
        if any(separator in names[0] for separator in SEPARATORS):
            why = "each row is in quotes, so it is one cell: remove the quotes around rows"
        document.problem(where, f"{why}; the line is {names[0]!r}")
        return False
    named = [name for name in names if name]
    missing = [name for name in COLUMNS if name not in named]
    unknown = [name for name in named if name not in (*COLUMNS, _COMMENT)]
    if missing:
        document.problem(where, f"missing columns: {', '.join(missing)}")
    if unknown:
        document.problem(where, f"unknown columns: {', '.join(map(repr, unknown))}")
    if len(set(named)) != len(named):
        document.problem(where, "a column occurs twice")
    return not missing and not unknown and len(set(named)) == len(named)


def _read_rows(
    file: str,
    lines: list[str],
    rows: Iterator[CSVRow],
    names: list[str],
    separator: str,
    document: Document,
) -> None:
    for line, cells in rows:
        if (wrong := _wrong_cells(cells, names)) is not None:
            document.problem(Where(file, line, 1), wrong)
            continue
        row = dict(zip(names, cells, strict=False))
        at = dict(zip(names, _columns(lines[line - 1], separator), strict=False))
        zone = document.zone(row["zone"], Where(file, line, at.get("zone", 1)))
        place_column = at.get("vendor" if row["region"] == AUTO else "region", 1)
        place = document.place(row["vendor"], row["region"], Where(file, line, place_column))
        origin = Where(file, line, at.get("origin_ip", 1))
        document.origin(zone, row["origin_ip"], place, row.get(_COMMENT, ""), origin)


def _wrong_cells(cells: list[str], names: list[str]) -> str | None:
    """Why these cells do not match the columns. The comment and unnamed columns are optional."""
    needed = max(names.index(name) for name in COLUMNS) + 1
    if len(cells) < needed or any(cells[len(names) :]):
        cell_count = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
        return f"{cell_count} in a table of {len(names)} columns"
    for number, (cell, name) in enumerate(zip(cells, names, strict=False), 1):
        if cell and not name:
            return f"column {number} has no name, but this row has {cell!r} in it"
    return None


def _columns(line: str, separator: str) -> list[int]:
    """The position of each cell in a line, in characters from 1 on."""
    starts, quoted = [1], False
    for at, character in enumerate(line, 2):
        if character == '"':
            quoted = not quoted
        elif character == separator and not quoted:
            starts.append(at)
    return starts

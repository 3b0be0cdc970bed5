"""Reads the CSV form of a file of mappings: the columns zone, origin_ip, vendor, region, in any
order, and a comment where there is one (RFC 4180)."""

import csv
import io
from collections.abc import Iterator

from originmap.mapfile.document import AUTO, Document
from originmap.mapfile.errors import Where

COLUMNS = ("zone", "origin_ip", "vendor", "region")
_COMMENT = "comment"


def read(file: str, text: str, document: Document) -> None:
    """Add what a file says to a document, problems included."""
    lines = list(io.StringIO(text, newline=""))  # str.splitlines knows more ends than CSV has
    rows = csv.reader(lines, strict=True)
    try:
        heading = [name.strip().lower() for name in next(rows, [])]
        if _checked(file, heading, document):
            _read_rows(file, lines, rows, heading, document)
    except csv.Error as error:
        document.problem(Where(file, max(rows.line_num, 1), 1), f"not CSV: {error}")


def _checked(file: str, heading: list[str], document: Document) -> bool:
    """Whether there are the columns that are needed, and no others."""
    where = Where(file, 1, 1)
    missing = [name for name in COLUMNS if name not in heading]
    unknown = [name for name in heading if name not in (*COLUMNS, _COMMENT)]
    if missing:
        document.problem(where, f"missing columns: {', '.join(missing)}")
    if unknown:
        document.problem(where, f"unknown columns: {', '.join(map(repr, unknown))}")
    if len(set(heading)) != len(heading):
        document.problem(where, "a column is there twice")
    return not missing and not unknown and len(set(heading)) == len(heading)


def _read_rows(
    file: str,
    lines: list[str],
    rows: Iterator[list[str]],
    heading: list[str],
    document: Document,
) -> None:
    first = 2
    for cells in rows:
        line, first = first, rows.line_num + 1  # type: ignore[attr-defined]  # of csv's reader
        if not cells:
            continue
        if len(cells) != len(heading):
            where = Where(file, line, 1)
            document.problem(where, f"{len(cells)} cells under {len(heading)} columns")
            continue
        row = dict(zip(heading, (cell.strip() for cell in cells), strict=True))
        at = dict(zip(heading, _columns(lines[line - 1]), strict=False))
        zone = document.zone(row["zone"], Where(file, line, at.get("zone", 1)))
        where = Where(file, line, at.get("vendor" if row["region"] == AUTO else "region", 1))
        place = document.place(row["vendor"], row["region"], where)
        where = Where(file, line, at.get("origin_ip", 1))
        document.origin(zone, row["origin_ip"], place, row.get(_COMMENT, ""), where)


def _columns(line: str) -> list[int]:
    """The column, counted in characters from 1, at which each cell of a line begins."""
    starts, quoted = [1], False
    for at, character in enumerate(line, 2):
        if character == '"':
            quoted = not quoted
        elif character == "," and not quoted:
            starts.append(at)
    return starts

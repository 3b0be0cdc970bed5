"""Caches as CSV: the columns colo, name and address, and optionally port, weight, state and tags,
in any order.

An empty cell is a value that is not given. Tags are separated by spaces.
"""

import csv
import io
from collections.abc import Iterable, Iterator

from originmap.cachefile.draft import MEMBERS, CacheDraft
from originmap.domain.csv_table import BrokenRow, CSVRow, heading, read_table
from originmap.domain.tier.topology import Colo
from originmap.mapfile.errors import Where

_REQUIRED = ("colo", "name", "address")


def read(file: str, text: str, draft: CacheDraft) -> None:
    """Add the content of a file to a draft."""
    table = read_table(text, MEMBERS)
    rows = table.rows()
    try:
        line, cells = next(rows, CSVRow(table.before + 1, []))
        names = heading(cells)
        if _checked(Where(file, line, 1), names, draft):
            _read_rows(file, names, rows, draft)
    except BrokenRow as error:
        draft.problem(Where(file, error.line, 1), f"not CSV: {error}")


def _checked(where: Where, names: list[str], draft: CacheDraft) -> bool:
    missing = [name for name in _REQUIRED if name not in names]
    unknown = [name for name in names if name not in MEMBERS]
    if missing:
        draft.problem(where, f"missing columns: {', '.join(missing)}")
    if unknown:
        known = ", ".join(MEMBERS)
        draft.problem(where, f"unknown columns: {', '.join(map(repr, unknown))}; known are {known}")
    if len(set(names)) < len(names):
        draft.problem(where, "a column occurs twice")
    return not missing and not unknown and len(set(names)) == len(names)


def _read_rows(file: str, names: list[str], rows: Iterator[CSVRow], draft: CacheDraft) -> None:
    for line, cells in rows:
        if any(cells[len(names) :]):
            draft.problem(
                Where(file, line, 1), f"{len(cells)} cells in a table of {len(names)} columns"
            )
        else:
            draft.add(dict(zip(names, cells, strict=False)), Where(file, line, 1))


def write(colos: Iterable[Colo]) -> str:
    """The caches of colos as CSV."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(MEMBERS)
    for colo in colos:
        for cache in colo.caches:
            values = (cache.address, cache.port, cache.weight, cache.state.value)
            rows.writerow((colo.code, cache.name, *values, " ".join(cache.tags)))
    return text.getvalue()

"""How detections are printed: text for people, JSON and CSV for programs, one after another."""

import csv
from typing import Any, Protocol, TextIO

import msgspec

from originmap.cli.options import shown
from originmap.domain.detection.detection import Detection, Evidence, Verdict
from originmap.domain.mapping import address

_COLUMNS = (
    "name",
    "address",
    "verdict",
    "vendor",
    "region",
    "in_catalogue",
    "prefix",
    "services",
    "border_group",
    "published",
)
_TEXT = "{:<15}  {:<12}  {:<6}  {:<18}  {:<18}  {:<10}  {}"


class DetectionWriter(Protocol):
    """Prints detections; nothing is kept of those printed."""

    def write(self, name: str | None, detection: Detection) -> None:
        """Print one; `name` is the host name that led to the address."""

    def end(self) -> None:
        """Print what comes after the last."""


class TextWriter:
    """A line each, under a heading; the columns are as wide as most need."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        heading = ("address", "verdict", "vendor", "region", "prefix", "published", "services")
        self._write(*heading)

    def write(self, name: str | None, detection: Detection) -> None:
        found = detection.evidence
        spelled, verdict = address.text(detection.address), detection.verdict.value
        if found is None:
            self._write(spelled, verdict, "-", "-", "-", "-", _notes(name, None))
            return
        date = found.published.date().isoformat()
        region = found.region or "-"
        notes = _notes(name, found, at_edge=detection.verdict is Verdict.EDGE_SERVICE)
        self._write(spelled, verdict, found.vendor, region, found.prefix, date, notes)

    def end(self) -> None:
        pass

    def _write(self, *cells: str) -> None:
        self._out.write(_TEXT.format(*cells).rstrip() + "\n")


def _notes(name: str | None, found: Evidence | None, *, at_edge: bool = False) -> str:
    """The services, and what is out of the ordinary."""
    notes = [" ".join(found.services)] if found is not None and found.services else []
    if at_edge:
        notes.append("the origin behind it cannot be located")
    if found is not None and found.border_group not in (None, found.region, "GLOBAL"):
        notes.append(f"announced in {found.border_group}")
    if found is not None and found.region is not None and not found.in_catalogue:
        notes.append("region not in the catalogue")
    if name is not None:
        notes.append(f"of {name}")
    return "; ".join(notes)


class JSONWriter:
    """An array of objects, a line each."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._before = "[\n  "

    def write(self, name: str | None, detection: Detection) -> None:
        encoded = msgspec.json.encode(_row(name, detection))
        self._out.write(self._before + encoded.decode())
        self._before = ",\n  "

    def end(self) -> None:
        self._out.write("[]\n" if self._before.startswith("[") else "\n]\n")


class CSVWriter:
    """RFC 4180, but lines end with a line feed alone."""

    def __init__(self, out: TextIO) -> None:
        self._rows = csv.writer(out, lineterminator="\n")
        self._rows.writerow(_COLUMNS)

    def write(self, name: str | None, detection: Detection) -> None:
        row = _row(name, detection)
        row["services"] = " ".join(row["services"])
        if detection.evidence is not None:
            row["in_catalogue"] = "true" if row["in_catalogue"] else "false"
        self._rows.writerow(row.values())

    def end(self) -> None:
        pass


def _row(name: str | None, detection: Detection) -> dict[str, Any]:
    found = detection.evidence
    here = (name, address.text(detection.address), detection.verdict.value)
    if found is None:
        return dict(zip(_COLUMNS, (*here, None, None, None, None, (), None, None), strict=True))
    there = (
        found.vendor,
        found.region,
        found.in_catalogue,
        found.prefix,
        found.services,
        found.border_group,
        shown(found.published),
    )
    return dict(zip(_COLUMNS, (*here, *there), strict=True))

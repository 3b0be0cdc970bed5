"""Writes mappings in the forms that the readers take: YAML, JSON, CSV.

Sorted by zone and address, with nothing in it but the mappings, so that the same mappings are
the same bytes.
"""

import csv
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TextIO

from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.address import Address
from originmap.domain.plan.plan import State, shown
from originmap.mapfile.csv_reader import COLUMNS

# What YAML wants escaped although JSON does not (YAML 1.2 §5.1).
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_PLAIN = re.compile(r"[a-z0-9][a-z0-9./-]*")


@dataclass(frozen=True, slots=True)
class ZoneState:
    """The mappings of a zone, and the comments there are on some."""

    zone: str
    mappings: State
    comments: Mapping[Address, str] = field(default_factory=dict)


Write = Callable[[Iterable[ZoneState], TextIO], None]


def write_yaml(zones: Iterable[ZoneState], out: TextIO) -> None:
    """A line for each mapping."""
    heading = "zones:\n"
    for zone in zones:
        out.write(f"{heading}  {word(zone.zone)}:\n    mappings:")
        out.write("\n" if zone.mappings else " {}\n")
        heading = ""
        for address, place in sorted(zone.mappings.items()):
            comment = zone.comments.get(address)
            value = word(shown(place))
            if comment:
                words = f"vendor: {word(place.vendor)}, region: {word(place.region)}"
                value = f"{{{words}, comment: {quoted(comment)}}}"
            out.write(f"      {word(addresses.text(address))}: {value}\n")
    if heading:
        out.write("zones: {}\n")


def write_json(zones: Iterable[ZoneState], out: TextIO) -> None:
    """As the YAML form, a line for each mapping too."""
    out.write('{\n  "zones": {')
    separator = "\n"
    for zone in zones:
        out.write(f'{separator}    {json.dumps(zone.zone)}: {{\n      "mappings": {{')
        inner = "\n"
        for address, place in sorted(zone.mappings.items()):
            comment = zone.comments.get(address)
            value: object = shown(place)
            if comment:
                value = {**place._asdict(), "comment": comment}
            key = json.dumps(addresses.text(address))
            out.write(f"{inner}        {key}: {json.dumps(value, ensure_ascii=False)}")
            inner = ",\n"
        out.write("\n      }\n    }" if zone.mappings else "}\n    }")
        separator = ",\n"
    out.write("}\n}\n" if separator == "\n" else "\n  }\n}\n")


def write_csv(zones: Iterable[ZoneState], out: TextIO) -> None:
    """RFC 4180, but lines end with a line feed alone; a column for comments at the end."""
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow((*COLUMNS, "comment"))
    for zone in zones:
        for address, place in sorted(zone.mappings.items()):
            comment = zone.comments.get(address, "")
            rows.writerow((zone.zone, addresses.text(address), *place, comment))


WRITERS: dict[str, Write] = {"yaml": write_yaml, "json": write_json, "csv": write_csv}


def quoted(text: str) -> str:
    """A word in the double quotes that JSON and YAML have in common."""
    encoded = json.dumps(text, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", encoded)


def word(text: str) -> str:
    """A word of YAML; in quotes where it has more in it than names have: a colon, which not every
    reader takes for part of a word, or whatever an API may answer."""
    return text if _PLAIN.fullmatch(text) else quoted(text)

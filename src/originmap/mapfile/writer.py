"""Writes mappings in the formats of the readers: YAML, JSON, CSV.

The output is sorted by zone and address, and contains only mappings and pools, so that equal ones
give equal bytes. CSV has no pools.
"""

import csv
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TextIO

from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.address import Address
from originmap.domain.plan.plan import State, shown
from originmap.domain.zone.pool import Pool
from originmap.mapfile.csv_reader import COLUMNS

# The characters that need an escape in YAML but not in JSON (YAML 1.2 §5.1).
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_PLAIN = re.compile(r"[a-z0-9][a-z0-9./-]*")


@dataclass(frozen=True, slots=True)
class ZoneState:
    """The mappings of a zone, some with a comment, and its load-balancing pools."""

    zone: str
    mappings: State
    comments: Mapping[Address, str] = field(default_factory=dict)
    pools: Sequence[Pool] = ()


Write = Callable[[Iterable[ZoneState], TextIO], None]


def write_yaml(zones: Iterable[ZoneState], out: TextIO) -> None:
    """Write YAML with a line for each mapping."""
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
        if zone.pools:
            out.write("    pools:\n")
        for pool in zone.pools:
            members = ", ".join(map(word, pool.members))
            out.write(f"      - name: {word(pool.name)}\n        members: [{members}]\n")
    if heading:
        out.write("zones: {}\n")


def write_json(zones: Iterable[ZoneState], out: TextIO) -> None:
    """Write JSON with the structure of the YAML format and a line for each mapping."""
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
        out.write("\n      }" if zone.mappings else "}")
        if zone.pools:
            pools = [{"name": pool.name, "members": [*pool.members]} for pool in zone.pools]
            out.write(f',\n      "pools": {json.dumps(pools)}')
        out.write("\n    }")
        separator = ",\n"
    out.write("}\n}\n" if separator == "\n" else "\n  }\n}\n")


def write_csv(zones: Iterable[ZoneState], out: TextIO) -> None:
    """Write CSV (RFC 4180, but with line feeds as line ends), with a last column for comments."""
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow((*COLUMNS, "comment"))
    for zone in zones:
        for address, place in sorted(zone.mappings.items()):
            comment = zone.comments.get(address, "")
            rows.writerow((zone.zone, addresses.text(address), *place, comment))


WRITERS: dict[str, Write] = {"yaml": write_yaml, "json": write_json, "csv": write_csv}


def quoted(text: str) -> str:
    """A string in double quotes that is valid in both JSON and YAML."""
    encoded = json.dumps(text, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", encoded)


def word(text: str) -> str:
    """A string of YAML. It is quoted if it has other characters than names: a colon, which some
    readers do not accept in a plain string, or anything that an API can return. A pool or an own
    vendor can have the name null, which is no string without quotes."""
    return text if _PLAIN.fullmatch(text) and text != "null" else quoted(text)

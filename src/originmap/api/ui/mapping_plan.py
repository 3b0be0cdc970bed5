"""A plan for mappings of a zone, from a pasted list or a selection: what changes, and what moves.

Pure functions on the values of the page; regions are VENDOR/REGION, "" for no mapping.
"""

import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from originmap.domain.csv_table import BrokenRow, heading, read_table
from originmap.domain.errors import InvalidAddress
from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.mapping import MAX_MAPPINGS

COLUMNS = ("origin_ip", "vendor", "region")
_NAMES = {"ip": "origin_ip", "origin": "origin_ip", "address": "origin_ip", "zone_name": "zone"}
_SHOWN = 60
MOST_LINES = 4 * MAX_MAPPINGS
"""Lines of a list, with its comments, empty lines and duplicates."""


_TOO_MANY = (
    f"The list has {{:,}} addresses; a zone has at most {MAX_MAPPINGS:,} mappings. Leave out those "
    "that this zone does not need."
)
_TOO_MANY_LINES = (
    f"The list has {{:,}} lines; the limit is {MOST_LINES:,}, and a zone has at most "
    f"{MAX_MAPPINGS:,} mappings. Paste only the lines of this zone."
)


class PlannedChange(NamedTuple):
    """A mapping from one region to another."""

    ip: str
    before: str
    after: str

    @property
    def field(self) -> str:
        """The change in a form."""
        return f"{self.ip} {self.before or '-'} {self.after or '-'}"


class Wanted(NamedTuple):
    """The regions in a list, by address, and what is wrong with its other lines."""

    places: dict[str, str]
    problems: list[str]


class MappingPlan(NamedTuple):
    """The changes in the order of the list, and the number of mappings that are as wanted."""

    changes: list[PlannedChange]
    unchanged: int
    problems: list[str]

    @property
    def counts(self) -> dict[str, int]:
        """The numbers of mappings to add, change and delete."""
        counts = Counter(
            "add" if not each.before else "change" if each.after else "delete"
            for each in self.changes
        )
        return {name: counts[name] for name in ("add", "change", "delete")}

    def moves(self, tiers: Mapping[str, str]) -> list[tuple[str, str, int]]:
        """The upper tiers before and after, with the number of origins whose caches start cold."""
        found = Counter(
            (tiers.get(each.before, ""), tiers.get(each.after, "")) for each in self.changes
        )
        return [(*pair, count) for pair, count in found.most_common() if pair[0] != pair[1]]


def read_list(text: str, zone_name: str, default: str) -> Wanted:
    """The mappings in a text: an address, vendor and region a line, in columns by name if the first
    line is a heading. A line with an address alone gets the region `default`."""
    lines = max(text.count("\n"), text.count("\r")) + 1
    if lines > MOST_LINES:
        return Wanted({}, [_TOO_MANY_LINES.format(lines)])
    wanted = Wanted({}, [])
    try:
        for line, row in _rows(text):
            _read_row(line, row, zone_name, default, wanted)
    except BrokenRow as error:
        wanted.problems.append(f"Line {error.line}: not CSV: {error}")
    if not wanted.places and not wanted.problems:
        wanted.problems.append("The list is empty. Paste a line for each mapping.")
    return wanted


def known(wanted: Wanted, regions: Container[str]) -> Wanted:
    """The mappings whose region exists; the others become problems, and so do all if there are more
    than a zone can have."""
    if len(wanted.places) > MAX_MAPPINGS:
        return Wanted({}, [_TOO_MANY.format(len(wanted.places)), *wanted.problems])
    places = {ip: place for ip, place in wanted.places.items() if not place or place in regions}
    unknown = [
        f"{ip}: there is no region {words(place)}."
        for ip, place in wanted.places.items()
        if ip not in places
    ]
    return Wanted(places, wanted.problems + unknown)


def plan_of(places: Mapping[str, str], problems: list[str], now: Mapping[str, str]) -> MappingPlan:
    """The plan that gives the addresses these regions, with `now` as the zone's mappings."""
    changes = [
        PlannedChange(ip, now.get(ip, ""), place)
        for ip, place in places.items()
        if now.get(ip, "") != place
    ]
    return MappingPlan(changes, len(places) - len(changes), problems)


def read_fields(fields: Iterable[str]) -> list[PlannedChange]:
    """The changes that a form sends back; raises ValueError if it is not one of ours."""
    changes = []
    for field in fields:
        ip, before, after = field.split(" ")
        changes.append(PlannedChange(ip, before.strip("-"), after if after != "-" else ""))
    return changes


def outdated(changes: Sequence[PlannedChange], now: Mapping[str, str]) -> list[str]:
    """What has changed since the plan was made, in words."""
    return [
        f"{each.ip}: the plan was made when it was {words(each.before)}; "
        f"now it is {words(now.get(each.ip, ''))}, and you want {words(each.after)}."
        for each in changes
        if now.get(each.ip, "") not in (each.before, each.after)
    ]


def words(place: str) -> str:
    """A region for people."""
    return place.replace("/", " ") or "no mapping"


def _rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    table = read_table(text, (*COLUMNS, *_NAMES))
    names = list(COLUMNS)
    for index, (line, cells) in enumerate(table.rows()):
        if len(cells) == 1:
            cells = re.split(r"[\s,;|]+", cells[0].strip())
        if index == 0:
            found = [_NAMES.get(name, name) for name in heading(cells)]
            if "origin_ip" in found:
                names = found
                continue
        yield line, dict(zip(names, cells, strict=False))


def _read_row(line: int, row: dict[str, str], zone: str, default: str, wanted: Wanted) -> None:
    text = row.get("origin_ip", "")
    vendor, region = row.get("vendor", "").lower(), row.get("region", "").lower()
    try:
        ip = addresses.text(addresses.parse(text))
    except InvalidAddress:
        wanted.problems.append(f"Line {line}: {text[:_SHOWN]!r} is not an origin address.")
        return
    place = f"{vendor}/{region}" if vendor or region else default
    if row.get("zone", zone) != zone:
        wanted.problems.append(f"Line {line}: is of the zone {row['zone'][:_SHOWN]!r}, not {zone}.")
    elif not place:
        wanted.problems.append(f"Line {line}: {ip} has no region. Add it, or choose one for all.")
    elif wanted.places.setdefault(ip, place) != place:
        wanted.problems.append(f"Line {line}: {ip} is in the list twice, with another region.")

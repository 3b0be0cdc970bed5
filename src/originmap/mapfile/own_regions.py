"""Reads the operator's own regions: YAML or JSON files, and geofeeds (RFC 8805) with a table of
cities."""

import math
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from originmap.domain.csv_table import BrokenRow, CSVRow, heading, read_table
from originmap.domain.detection import geofeed, prefix
from originmap.domain.mapping.cities import Cities, City
from originmap.domain.mapping.own_regions import OwnRegion
from originmap.mapfile import json_events
from originmap.mapfile.errors import UnusableFile, WrongSource
from originmap.mapfile.json_events import MAX_DEPTH
from originmap.mapfile.reader import text_of

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL = "tag:yaml.org,2002:null"
_MAX_CHARACTERS = 4 << 20
_REQUIRED = ("vendor", "region", "latitude", "longitude")
_MEMBERS = (*_REQUIRED, "city", "country")
_PLACE_COLUMNS = ("city", "country", "latitude", "longitude")
_SUBDIVISION = "subdivision"
_NUMBER = re.compile(r"[-+]?[0-9]{1,3}(?:\.[0-9]{1,12})?")
_HINT = "docs/catalogue.md has an example"


def read_yaml(file: Path) -> list[OwnRegion]:
    """Read the regions in a YAML or JSON file: a list, alone or as `regions`. The server checks
    names and limits. Raises UnusableFile, WrongSource."""
    text, as_json = _text(file), file.suffix.lower() == ".json"
    root = _json_root(file, text) if as_json else _yaml_root(file, text)
    problems: list[str] = []
    regions = [region for node in _items(file, root) if (region := _region(file, node, problems))]
    if problems:
        raise WrongSource(problems, _HINT)
    return regions


def read_geofeed(file: Path, vendor: str, cities: Cities) -> list[OwnRegion]:
    """The places of a geofeed as regions of a vendor. Prefixes that the feed does not locate are
    left out. Raises UnusableFile, WrongSource, also if a city is not in `cities`."""
    try:
        entries = geofeed.entries(_text(file))
    except geofeed.InvalidGeofeed as error:
        raise WrongSource(
            [f"{file}: {error}"], "a line is prefix,country,subdivision,city"
        ) from None
    regions: dict[str, OwnRegion] = {}
    problems: list[str] = []
    unknown: dict[tuple[str, str, str], int] = {}
    for entry in entries:
        try:
            prefix.parse_network(entry.prefix)
        except prefix.InvalidPrefix as error:
            problems.append(f"{file}:{entry.line}: {error}")
        if (name := entry.region) is None:
            continue
        city = cities.find(entry.city, entry.country, entry.subdivision)
        if city is None:
            unknown.setdefault((entry.country, entry.subdivision, entry.city), entry.line)
            continue
        at = (city.latitude, city.longitude)
        region = OwnRegion(vendor, name, entry.city, entry.country, *at)
        if at != _position(regions.setdefault(name, region)):
            problems.append(f"{file}:{entry.line}: {name} is in two places: rename one city")
    if problems:
        raise WrongSource(problems)
    if unknown:
        raise _unlocated(file, unknown)
    return list(regions.values())


def read_cities(file: Path) -> list[City]:
    """Read a CSV file with city, country, latitude, longitude and optionally subdivision. Raises
    UnusableFile, WrongSource."""
    table = read_table(_text(file), (*_PLACE_COLUMNS, _SUBDIVISION))
    rows = table.rows()
    cities: list[City] = []
    problems: list[str] = []
    try:
        line, cells = next(rows, CSVRow(table.before + 1, []))
        names = heading(cells)
        if wrong := _wrong_columns(names):
            raise WrongSource([f"{file}:{line}: {wrong}"], _HINT)
        needed = max(names.index(name) for name in _PLACE_COLUMNS) + 1
        for line, cells in rows:
            if len(cells) < needed or any(cells[len(names) :]):
                found = f"{len(cells)} cell{'s' * (len(cells) != 1)}"
                problems.append(f"{file}:{line}: {found} in a table of {len(names)} columns")
                continue
            row = dict(zip(names, cells, strict=False))
            latitude, longitude = _coordinates(row)
            if latitude is None or longitude is None:
                problems.append(f"{file}:{line}: latitude and longitude must be degrees")
                continue
            where = (row["city"], row["country"].upper(), row.get(_SUBDIVISION, "").upper())
            cities.append(City(*where, latitude, longitude))
    except BrokenRow as error:
        problems.append(f"{file}:{error.line}: not CSV: {error}")
    if problems:
        raise WrongSource(problems, _HINT)
    return cities


def _wrong_columns(names: list[str]) -> str:
    """What is wrong with the heading of a table of cities; "" if nothing is."""
    known = (*_PLACE_COLUMNS, _SUBDIVISION)
    if missing := [name for name in _PLACE_COLUMNS if name not in names]:
        return f"missing columns: {', '.join(missing)}"
    if unknown := [name for name in names if name not in known]:
        return f"unknown columns: {', '.join(map(repr, unknown))}; known are {', '.join(known)}"
    return "a column occurs twice" if len(set(names)) < len(names) else ""


def _text(file: Path) -> str:
    text = text_of(file)
    if len(text) > _MAX_CHARACTERS:
        raise UnusableFile(str(file), f"longer than {_MAX_CHARACTERS:,} characters")
    return text


def _json_root(file: Path, text: str) -> yaml.Node | None:
    try:
        return _JSONNodes(text).compose_document()
    except json_events.NotJSON as error:
        raise WrongSource([f"{file}:{error.line}: not JSON: {error.reason}"], _HINT) from None


class _JSONNodes(yaml.composer.Composer, yaml.resolver.Resolver):
    """Nodes of a JSON text: the loader of YAML with another parser. Raises NotJSON."""

    def __init__(self, text: str) -> None:
        yaml.composer.Composer.__init__(self)
        yaml.resolver.Resolver.__init__(self)
        self._events = json_events.parse(text)
        self._next = next(self._events)

    def check_event(self, *kinds: type[yaml.Event]) -> bool:
        """Whether the next event is of one of these classes."""
        return isinstance(self._next, kinds)

    def peek_event(self) -> yaml.Event:
        """The next event, which stays the next."""
        return self._next

    def get_event(self) -> yaml.Event:
        """The next event. After the last one it stays."""
        event, self._next = self._next, next(self._events, self._next)
        return event


def _yaml_root(file: Path, text: str) -> yaml.Node | None:
    try:
        _refuse_deep(file, text)
        return yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        reason = getattr(error, "problem", None) or "a character that is not allowed"
        raise WrongSource([f"{file}{line}: not YAML: {reason}"], _HINT) from None


def _refuse_deep(file: Path, text: str) -> None:
    """Refuse what takes libyaml minutes, and aliases, which can multiply a small file."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH or isinstance(event, yaml.AliasEvent):
            assert event.start_mark is not None
            reason = f"aliases, and more than {MAX_DEPTH} levels, are not supported"
            raise WrongSource([f"{file}:{event.start_mark.line + 1}: {reason}"], _HINT)


def _items(file: Path, root: yaml.Node | None) -> list[yaml.Node]:
    if isinstance(root, yaml.MappingNode):
        members = [(key.value, value) for key, value in root.value]
        if [name for name, _ in members] == ["regions"]:
            root = members[0][1]
    if not isinstance(root, yaml.SequenceNode):
        raise WrongSource([f"{file}: the file needs the key regions, with a list"], _HINT)
    return list(root.value)


def _region(file: Path, node: yaml.Node, problems: list[str]) -> OwnRegion | None:
    """The region of a node; None, and its problems, if it is invalid. Null is a missing value."""
    at = f"{file}:{node.start_mark.line + 1}"
    words: dict[str, str] = {}
    wrong = [] if isinstance(node, yaml.MappingNode) else ["a region is a mapping"]
    for key, value in () if wrong else node.value:
        if key.value not in _MEMBERS:
            wrong.append(f"unknown key {key.value!r}; use {', '.join(_MEMBERS)}")
        elif key.value in words or not isinstance(value, yaml.ScalarNode):
            wrong.append(f"{key.value} must be there once, as a string or a number")
        else:
            words[key.value] = "" if value.tag == _NULL else value.value
    wrong = wrong or [f"{name} is missing" for name in _REQUIRED if not words.get(name)]
    latitude, longitude = _coordinates(words)
    if not wrong and (latitude is None or longitude is None):
        wrong.append("latitude and longitude must be degrees, as in 50.1155")
    problems += [f"{at}: {text}" for text in wrong]
    if wrong or latitude is None or longitude is None:
        return None
    place = (words["vendor"], words["region"])
    return OwnRegion(*place, words.get("city", ""), words.get("country", ""), latitude, longitude)


def _coordinates(row: dict[str, str]) -> tuple[float | None, float | None]:
    """Latitude and longitude; None for one that is not in degrees."""
    return _degrees(row.get("latitude", ""), 90), _degrees(row.get("longitude", ""), 180)


def _degrees(text: str, most: int) -> float | None:
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    return value if abs(value) <= most else None


def _position(region: OwnRegion) -> tuple[float, float]:
    return region.latitude, region.longitude


def _unlocated(file: Path, unknown: dict[tuple[str, str, str], int]) -> WrongSource:
    def lines() -> Iterator[str]:
        for (country, subdivision, city), line in unknown.items():
            where = ", ".join(filter(None, (city, subdivision, country)))
            yield f"{file}:{line}: no coordinates of {where}"

    hint = "give --places FILE, a CSV file with city,country,subdivision,latitude,longitude"
    return WrongSource(list(lines()), hint)

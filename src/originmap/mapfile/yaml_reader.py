"""Reads mappings files in YAML and JSON.

It processes the events of a parser instead of building documents. So every string has its line and
column, no string is converted (`192.0.2.1`, `1:30` and `no` are strings), and a large file takes
little memory. libyaml parses YAML, `json_events` parses JSON. The format is that of
mappings.schema.json; a test compares the schema with this module.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator

import yaml

from originmap.domain.mapping.mapping import Place
from originmap.mapfile import json_events
from originmap.mapfile.document import AUTO, Document, WantedPool, ZoneEntry
from originmap.mapfile.errors import Where

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_EMPTY = {"", "~", "null", "Null", "NULL"}
_ADDRESS = re.compile("[0-9A-Fa-f:.]+")
_TAGS = {None, "", "!", *(f"tag:yaml.org,2002:{kind}" for kind in ("str", "map", "seq", "null"))}
_ITEM_FORM = "an origin in a list is an address or a host name; with comments, leave out the dashes"
_PLACE_FORM = "write vendor/region, as in aws/us-east-1, or auto"


def read(file: str, text: str, document: Document) -> None:
    """Add the content of a YAML file to a document, including its problems."""
    try:
        _Reader(file, yaml.parse(text, Loader=_LOADER), document).run()
    except _TooDeep as error:
        document.problem(error.where, str(error))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        remedy = _remedy(text, line, column)
        problem = f"not YAML: {error.problem or error.context}{remedy}"
        document.problem(Where(file, line, column), problem)
    except yaml.YAMLError as error:
        # The parser's own error has the position only; line and column are computed from it.
        before = text.encode()[: getattr(error, "position", 0) or 0].decode(errors="ignore")
        line = before.count("\n") + 1
        column = len(before) - (before.rfind("\n") + 1) + 1
        document.problem(Where(file, line, column), "not YAML: a character that is not allowed")


def read_json(file: str, text: str, document: Document) -> None:
    """Add the content of a JSON file to a document, including its problems."""
    try:
        _Reader(file, json_events.parse(text), document).run()
    except json_events.NotJSON as error:
        document.problem(Where(file, error.line, error.column), f"not JSON: {error.reason}")


def _remedy(text: str, line: int, column: int) -> str:
    """A hint for some common syntax errors in YAML."""
    lines = text.split("\n", line)
    current = lines[line - 1] if line <= len(lines) else ""
    for word in _ADDRESS.finditer(current):
        if word.start() < column <= word.end() + 1 and _lost_colon(word[0].removesuffix(":")):
            return f"; put quotes around {word[0]!r}"
        if word.start() == column - 1 and word[0].startswith("::"):  # not a string in [] or {}
            return f"; put quotes around {word[0]!r}"
    character = current[column - 1 : column]
    if character == "\t":
        return ": a tab; indent by spaces"
    if character in ("@", "`", "%"):
        return f"; put quotes around the word that starts with {character}"
    return ""


def _lost_colon(text: str) -> bool:
    """Whether YAML parsed the last colon of an IPv6 address as the colon after a key."""
    try:
        return text.endswith(":") and bool(ipaddress.IPv6Address(text + ":"))
    except ValueError:
        return False


class _TooDeep(ValueError):
    """Lists and mappings are nested too deeply."""

    def __init__(self, where: Where) -> None:
        super().__init__(f"nested more than {json_events.MAX_DEPTH} levels deep")
        self.where = where


class _Reader:
    """Reads one file. Every method takes the first event of a node and consumes the node."""

    def __init__(self, file: str, events: Iterable[yaml.Event], document: Document) -> None:
        self._file = file
        self._document = document
        self._events: Iterator[yaml.Event] = self._checked(events)

    def run(self) -> None:
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                self._root(next(self._events))

    def _checked(self, events: Iterable[yaml.Event]) -> Iterator[yaml.Event]:
        """Check each event. A tag is a problem, because it would convert a string. Raises
        _TooDeep, because libyaml takes minutes for deeply nested brackets."""
        depth = 0
        for event in events:
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if depth > json_events.MAX_DEPTH:
                raise _TooDeep(self._where(event))
            tag = getattr(event, "tag", None)
            if tag not in _TAGS:
                self._document.problem(self._where(event), f"tags are not supported: {tag}")
            yield event

    def _root(self, event: yaml.Event) -> None:
        for key, where, value in self._members(event, "a mappings file needs the key zones"):
            if key == "zones":
                for name, at, node in self._members(value, "zones must have zone names as keys"):
                    self._zone(self._document.zone(name, at), node)
            elif key == "$schema":
                self._skip(value)
            else:
                self._unknown(key, where, value, "zones")

    def _zone(self, zone: ZoneEntry, event: yaml.Event) -> None:
        known = "mappings, groups, pools, ignore, adopt"
        form = f"a zone takes the keys {known}"
        for key, where, value in self._members(event, form):
            if key == "mappings":
                self._mappings(zone, value)
            elif key == "groups":
                for node in self._items(value, "groups must be a list"):
                    self._group(zone, node)
            elif key == "pools":
                zone.pools = zone.pools or {}
                for node in self._items(value, "pools must be a list"):
                    self._pool(zone, node)
            elif key in ("ignore", "adopt"):
                rules = zone.ignore if key == "ignore" else zone.adopt
                for node in self._items(value, f"{key} must be a list of patterns"):
                    if (text := self._word(node, "a pattern must be a string")) is not None:
                        rules.extend(self._document.pattern(text, self._where(node)))
            else:
                self._unknown(key, where, value, known)

    def _mappings(self, zone: ZoneEntry, event: yaml.Event) -> None:
        form = "write mappings as origin: vendor/region"
        for text, where, value in self._origin_keys(event, form):
            place, comment = self._place(value)
            self._document.origin(zone, text, place, comment, where)

    def _origin_keys(self, event: yaml.Event, form: str) -> Iterator[tuple[str, Where, yaml.Event]]:
        """The origins in a mapping's keys, like `_members`."""
        for text, where, value in self._members(event, form, unique=False):
            if _lost_colon(text):
                self._document.problem(where, f"put quotes around {text + ':'!r}")
                self._skip(value)
            elif text == "<<":
                self._document.problem(where, "merge keys are not supported; use a group")
                self._skip(value)
            else:
                yield text, where, value

    def _place(self, event: yaml.Event) -> tuple[Place | None, str]:
        """A place, in short or long form, and its comment."""
        at = self._where(event)
        if isinstance(event, yaml.ScalarEvent):
            return self._short(event.value, at), ""
        words = self._words(event, ("vendor", "region", "comment"), _PLACE_FORM)
        if words is None:
            return None, ""
        place = self._document.place(words.get("vendor", ""), words.get("region", ""), at)
        return place, words.get("comment", "")

    def _short(self, text: str, at: Where) -> Place | None:
        vendor, slash, region = text.partition("/")
        if text == AUTO:
            vendor, region = "", AUTO
        elif not slash or not vendor or not region:
            self._document.problem(at, f"{text!r}: {_PLACE_FORM}")
            return None
        return self._document.place(vendor, region, at)

    def _group(self, zone: ZoneEntry, event: yaml.Event) -> None:
        """Read a group. Keys have no order, so the place is complete only at the end."""
        known = "name, vendor, region, origins, comment"
        form = f"a group takes the keys {known}"
        at, words, origins = self._where(event), dict[str, str](), list[tuple[str, str, Where]]()
        for key, where, value in self._members(event, form):
            if key == "origins":
                origins.extend(self._origins(value))
            elif key in ("name", "vendor", "region", "comment"):
                word = self._value(value, f"{key} must be a string")
                words |= {} if word is None else {key: word}
            else:
                self._unknown(key, where, value, known)
        place = self._document.place(words.get("vendor", ""), words.get("region", ""), at)
        if "name" in words:
            self._document.group(zone, words["name"], [text for text, _, _ in origins], at)
        for text, comment, where in origins:
            self._document.origin(zone, text, place, comment or words.get("comment", ""), where)

    def _pool(self, zone: ZoneEntry, event: yaml.Event) -> None:
        form = "a pool takes the key name, and members or group"
        at, words, members = self._where(event), dict[str, str](), list[str]()
        for key, where, value in self._members(event, form):
            if key == "members":
                for node in self._items(value, "members must be a list"):
                    word = self._word(node, "a member is an address or a host name")
                    members += [] if word is None else [word]
            elif key in ("name", "group"):
                word = self._value(value, f"{key} must be a string")
                words |= {} if word is None else {key: word}
            else:
                self._unknown(key, where, value, "name, members, group")
        if "name" not in words or bool(members) == ("group" in words):
            self._document.problem(at, form)
        else:
            pool = WantedPool(members, words.get("group"), at)
            self._document.pool(zone, words["name"], pool)

    def _origins(self, event: yaml.Event) -> Iterator[tuple[str, str, Where]]:
        """The origins of a group: a list, or a mapping of origins to comments."""
        form = "origins must be a list, or written as origin: comment"
        if isinstance(event, yaml.MappingStartEvent):
            for text, where, value in self._origin_keys(event, form):
                yield text, self._value(value, "a comment must be a string") or "", where
        else:
            for node in self._items(event, form):
                if (word := self._word(node, _ITEM_FORM)) is not None:
                    yield word, "", self._where(node)

    def _words(
        self, event: yaml.Event, allowed: tuple[str, ...], form: str
    ) -> dict[str, str] | None:
        """The members of a mapping with string values; None if it is not a mapping."""
        if not isinstance(event, yaml.MappingStartEvent):
            self._wrong(event, form)
            return None
        words: dict[str, str] = {}
        for key, where, value in self._members(event, form):
            if key not in allowed:
                self._unknown(key, where, value, ", ".join(allowed))
            elif (word := self._value(value, f"{key} must be a string")) is not None:
                words[key] = word
        return words

    def _members(
        self, event: yaml.Event, form: str, *, unique: bool = True
    ) -> Iterator[tuple[str, Where, yaml.Event]]:
        """Each key, its position, and the first event of its value, which the caller consumes."""
        if not isinstance(event, yaml.MappingStartEvent):
            if not self._is_empty(event):
                self._wrong(event, form)
            return
        positions: dict[str, Where] = {}
        while not isinstance(key := next(self._events), yaml.MappingEndEvent):
            if not isinstance(key, yaml.ScalarEvent):
                self._wrong(key, "a key must be a string")
                self._skip(next(self._events))
                continue
            where, value = self._where(key), next(self._events)
            if unique and key.value in positions:
                first = positions[key.value]
                self._document.problem(where, f"duplicate key {key.value}; first at {first}")
                self._skip(value)
                continue
            if unique:
                positions[key.value] = where
            yield key.value, where, value

    def _items(self, event: yaml.Event, form: str) -> Iterator[yaml.Event]:
        if not isinstance(event, yaml.SequenceStartEvent):
            if not self._is_empty(event):
                self._wrong(event, form)
            return
        while not isinstance(node := next(self._events), yaml.SequenceEndEvent):
            yield node

    def _value(self, event: yaml.Event, form: str) -> str | None:
        """The string of a member. Null is like a missing member: None, without a problem."""
        return None if self._is_empty(event) else self._word(event, form)

    def _word(self, event: yaml.Event, form: str) -> str | None:
        if isinstance(event, yaml.ScalarEvent) and not self._is_empty(event):
            return str(event.value)
        if not isinstance(event, yaml.MappingStartEvent):
            self._wrong(event, form)
            return None
        key = next(self._events)
        why = form
        if isinstance(key, yaml.ScalarEvent) and _lost_colon(key.value):
            why = f"put quotes around {key.value + ':'!r}"
        self._document.problem(self._where(event), why)
        self._skip(key, 1)
        return None

    def _unknown(self, key: str, where: Where, value: yaml.Event, known: str) -> None:
        self._document.problem(where, f"unknown key {key!r}; use {known}")
        self._skip(value)

    def _wrong(self, event: yaml.Event, form: str) -> None:
        alias = isinstance(event, yaml.AliasEvent)
        why = "aliases are not supported; use a group" if alias else form
        self._document.problem(self._where(event), why)
        self._skip(event)

    def _skip(self, event: yaml.Event, depth: int = 0) -> None:
        """Consume a node without reading it, or the rest of a node from an event inside."""
        while True:
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if depth == 0:
                return
            event = next(self._events)

    @staticmethod
    def _is_empty(event: yaml.Event) -> bool:
        return (
            isinstance(event, yaml.ScalarEvent)
            and event.style in (None, "")
            and event.value in _EMPTY
        )

    def _where(self, event: yaml.Event) -> Where:
        mark = event.start_mark
        assert mark is not None
        return Where(self._file, mark.line + 1, mark.column + 1)

"""Reads the addresses of a zone file: the A and AAAA records of a DNS master file (RFC 1035 §5),
and the names that point to them.

Servers and providers add types, omit TTLs and dots, and put data in comments. Records that are not
needed for addresses are skipped and counted; a malformed record that is needed is an error with its
line.
"""

import contextlib
import ipaddress
import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import dns.exception
import dns.name

from originmap.domain.errors import InvalidAddress
from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.address import Address
from originmap.domain.zone.name import is_zone_id, may_be_zone
from originmap.mapfile.errors import UnusableFile, WrongSource
from originmap.mapfile.zone_entries import BrokenEntry, Entry, entries
from originmap.mapfile.zone_generate import BrokenGenerate, expand, parse_range

MAX_GENERATED = 1 << 16
"""The number of records that all $GENERATE directives of a file can generate."""

_WANTED = ("A", "AAAA", "CNAME")
_GENERIC = {"TYPE1": "A", "TYPE28": "AAAA", "TYPE5": "CNAME"}  # RFC 3597 §5
_TTL = re.compile(r"[0-9]+|(?:[0-9]+[smhdw])+", re.IGNORECASE)
_CLASS = re.compile(r"IN|CH|HS|CS|ANY|NONE|CLASS[0-9]+", re.IGNORECASE)
_AGE = re.compile(r"\[AGE:[0-9]+\]", re.IGNORECASE)  # of the Windows DNS server
# With _ for types that tools such as dnscontrol add, and \- for the negative entries of BIND's
# rndc dumpdb: a type that a name does not have.
_KIND = re.compile(r"(?:\\-)?[A-Z][A-Z0-9_-]*")
# The comment with the zone's name, of Cloudflare's export and of the Windows DNS server.
_DOMAIN = re.compile(
    r";+\s*(?:Domain:\s+(\S+)|Database file \S+ for (?:.* in zone )?(\S+?)(?: zone)?\.?)\s*",
    re.IGNORECASE,
)


class ZoneRecords(NamedTuple):
    """The addresses of a zone, each with its names, sorted; and a line for each kind of skipped
    records."""

    zone: str
    names: dict[Address, list[str]]
    skipped: list[str]


class _Record(NamedTuple):
    """A record of a file. `kind` is its type, with its class if that is not IN."""

    owner: str
    kind: str
    data: list[str]


def read_zone_file(file: Path, text: str, zone: str | None) -> ZoneRecords:
    """Read the addresses of a zone file. Without `zone`, or with an id, the file must name the
    zone.

    Raises UnusableFile, or WrongSource with all problems.
    """
    try:
        all_entries = list(entries(text))
    except BrokenEntry as error:
        raise WrongSource([f"{file}:{error.line}: not a zone file: {error}"]) from None
    zone_name = zone if zone and not is_zone_id(zone) else None
    name = _parse_zone(file, zone_name) if zone_name else _zone_of(all_entries)
    if name is None:
        reason = "no SOA record, $ORIGIN or comment names the zone"
        raise UnusableFile(str(file), reason, "name the zone: --zone example.com")
    reader = _Reader(file, name)
    for entry in all_entries:
        reader.read(entry)
    return reader.records()


def _parse_zone(file: Path, zone: str) -> dns.name.Name:
    with contextlib.suppress(dns.exception.DNSException, UnicodeError):
        if may_be_zone(zone):
            return dns.name.from_text(zone, dns.name.root)
    raise UnusableFile(str(file), f"not a zone name: {zone!r}")


def _zone_of(all_entries: list[Entry]) -> dns.name.Name | None:
    """The zone of a file: the owner of its SOA record, else the zone in a comment, else the first
    $ORIGIN."""
    comment = first = origin = None
    owner = "@"
    for entry in all_entries:
        try:
            if entry.comment:
                named = _DOMAIN.fullmatch(entry.comment)
                if named and comment is None:
                    comment = origin = _top_name(named[1] or named[2], None)
                continue
            if entry.words[0].upper() == "$ORIGIN":
                origin = _top_name(entry.words[1], origin)
                first = first or origin
            elif entry.words[0][0] != "$":
                owner, kind, _ = _record(entry, owner)
                if kind == "SOA" and (soa := _top_name(owner, origin)) is not None:
                    return soa
        except (dns.exception.DNSException, UnicodeError, ValueError, IndexError):
            continue  # reported when the entry is read
    zone = comment or first
    return None if zone == dns.name.root else zone


def _top_name(text: str, origin: dns.name.Name | None) -> dns.name.Name | None:
    """The name in an SOA or a $ORIGIN, which can lack the final dot."""
    name = dns.name.from_text(text, None)
    if name.is_absolute():
        return name
    absolute = name.derelativize(dns.name.root)
    if origin is not None:
        return origin if absolute == origin else name.derelativize(origin)
    return absolute if len(name) > 1 else None


def _record(entry: Entry, owner: str) -> _Record:
    """Parse an entry as a record; `owner` is that of the previous one. Raises ValueError."""
    words = list(entry.words)
    if not entry.indented:
        owner = words.pop(0)
    kind, class_ = "", ""
    while words:
        word = words.pop(0)
        if _CLASS.fullmatch(word):
            class_ = "" if word.upper() in ("IN", "CLASS1") else f"{word.upper()} "
        elif not (_TTL.fullmatch(word) or _AGE.fullmatch(word)):
            kind = word.upper()
            break
    if not kind:
        record = " ".join(entry.words)[:60]
        raise ValueError(f"not a zone file: a record without a type: {record!r}")
    if not _KIND.fullmatch(kind):
        raise ValueError(f"neither a TTL, a class nor a type: {word!r}")
    return _Record(owner, class_ + _GENERIC.get(kind, kind), words)


class _Reader:
    """Reads entries one by one, and collects problems and the counts of skipped records."""

    def __init__(self, file: Path, zone: dns.name.Name) -> None:
        self._file = file
        self._zone = zone
        self._origin = zone
        self._owner = ("@", zone)
        self._generated = 0
        self._names: dict[dns.name.Name, set[Address]] = {}
        self._aliases: dict[dns.name.Name, dns.name.Name] = {}
        self._problems: list[str] = []
        self._others: Counter[str] = Counter()
        self._unusable: Counter[str] = Counter()
        self._outside = 0

    def read(self, entry: Entry) -> None:
        """Read one entry."""
        if entry.comment:
            return
        try:
            if entry.words[0].startswith("$"):
                self._directive(entry.words)
                return
            record = _record(entry, self._owner[0])
            if not entry.indented:
                self._owner = (record.owner, self._origin)
            if record.kind not in _WANTED:
                self._others[record.kind] += 1
            else:
                owner = dns.name.from_text(*self._owner)
                self._take(owner, record.kind, record.data)
        except (dns.exception.DNSException, UnicodeError, BrokenGenerate) as error:
            words = " ".join(entry.words)[:60]
            self._problems.append(f"{self._file}:{entry.line}: not a zone file: {words!r}: {error}")
        except ValueError as error:
            self._problems.append(f"{self._file}:{entry.line}: {error}")

    def records(self) -> ZoneRecords:
        """The result of all entries. Raises WrongSource."""
        if self._problems:
            raise WrongSource(self._problems)
        by_address: dict[Address, set[dns.name.Name]] = {}
        for name, of_name in self._names.items():
            for address in of_name:
                by_address.setdefault(address, set()).add(name)
        for alias in self._aliases:
            of_target = self._names.get(self._target(alias), set())
            self._others["CNAME"] += not of_target
            for address in of_target:
                by_address[address].add(alias)
        names = {
            address: sorted(name.to_text(omit_final_dot=True) for name in by_address[address])
            for address in sorted(by_address)
        }
        return ZoneRecords(self._zone.to_text(omit_final_dot=True), names, self._skipped())

    def _directive(self, words: list[str]) -> None:
        name, *arguments = words
        match name.upper():
            case "$TTL" | "$DATE":  # BIND's rndc dumpdb writes $DATE in the first line
                pass
            case "$ORIGIN" if len(arguments) == 1:
                self._origin = _top_name(arguments[0], self._origin) or self._origin
            case "$GENERATE" if len(arguments) >= 4:
                self._generate(arguments)
            case "$INCLUDE":
                raise ValueError(
                    f"{' '.join(words)!r} is not supported: put all records into one file, for"
                    " example by named-compilezone -o FILE ZONE INPUT"
                )
            case _:
                raise ValueError(
                    f"not a zone file: unknown or incomplete directive: {' '.join(words)[:60]!r}"
                )

    def _generate(self, arguments: list[str]) -> None:
        """Read BIND's $GENERATE: a range, an owner, and the rest of a record."""
        generated = parse_range(arguments[0])
        owner, kind, data = _record(Entry(0, False, arguments[1:]), "")
        if kind not in _WANTED:
            self._others[kind] += generated.size
            return
        self._generated += generated.size
        if self._generated > MAX_GENERATED:
            raise ValueError(f"$GENERATE generates more than {MAX_GENERATED:,} records")
        for number in generated.numbers:
            words = [expand(word, number) for word in data]
            name = dns.name.from_text(expand(owner, number), self._origin)
            try:
                self._take(name, kind, words)
            except ValueError as error:
                # Of a range only the first problem is reported: the others are like it.
                raise BrokenGenerate(str(error)) from None

    def _take(self, owner: dns.name.Name, kind: str, data: list[str]) -> None:
        """Add an A, AAAA or CNAME record. Raises ValueError."""
        if not owner.is_subdomain(self._zone):
            self._outside += 1
        elif kind == "CNAME":
            if len(data) != 1:
                raise ValueError(f"not a host name: {' '.join(data)!r}")
            self._aliases[owner] = dns.name.from_text(data[0], self._origin)
        else:
            text = _address(kind, data)
            try:
                self._names.setdefault(owner, set()).add(addresses.parse(text))
            except InvalidAddress:
                self._unusable[text] += 1

    def _target(self, alias: dns.name.Name) -> dns.name.Name:
        """The final target of an alias, which is an alias itself in a cycle."""
        first = self._aliases[alias]
        if first not in self._aliases:  # as of nearly all: names are slow to hash
            return first
        visited = {alias}
        while (target := self._aliases.get(alias)) is not None and target not in visited:
            visited.add(target)
            alias = target
        # Shorten the chain, so that a long one is walked only once.
        self._aliases.update(dict.fromkeys(visited - {alias}, alias))
        return alias

    def _skipped(self) -> list[str]:
        lines = []
        if count := self._others.total():
            ordered = sorted(self._others.items(), key=lambda each: (-each[1], each[0]))
            listed = ", ".join(f"{number:,} {kind}" for kind, number in ordered if number)
            which = "that is not A or AAAA", "that are not A or AAAA"
            lines.append(f"{_skipped(count, *which)}: {listed}")
        if count := self._unusable.total():
            which = (
                "with an address that an origin cannot have",
                "with addresses that an origin cannot have",
            )
            lines.append(f"{_skipped(count, *which)}: {', '.join(sorted(self._unusable))}")
        if self._outside:
            outside = f"outside the zone {self._zone.to_text(omit_final_dot=True)}"
            lines.append(_skipped(self._outside, outside, outside))
        return lines


def _skipped(count: int, one: str, several: str) -> str:
    return f"skipped 1 record {one}" if count == 1 else f"skipped {count:,} records {several}"


def _address(kind: str, data: list[str]) -> str:
    """Parse the address of an A or AAAA record. Raises ValueError."""
    parse = ipaddress.IPv4Address if kind == "A" else ipaddress.IPv6Address
    text = " ".join(data)
    try:
        if data[:1] == ["\\#"]:
            packed = bytes.fromhex("".join(data[2:]))
            if len(packed) == int(data[1]):
                return str(parse(packed))
        elif "%" not in text:
            return str(parse(text))
    except (ValueError, IndexError):
        pass
    raise ValueError(f"not an address for an {kind} record: {text!r}")

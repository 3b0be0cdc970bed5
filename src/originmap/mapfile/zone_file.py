"""The addresses in a zone file: the A and AAAA records of a DNS master file (RFC 1035 §5), and the
names that lead to them.

Servers and providers add types, leave out TTLs and dots, and note things in comments. What is not
needed for addresses is passed over and counted; what is needed is an error with its line.
"""

import contextlib
import ipaddress
import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import dns.exception
import dns.grange
import dns.name
import dns.zone

from originmap.domain.errors import InvalidAddress
from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.address import Address
from originmap.domain.zone.name import is_zone_id, may_be_zone
from originmap.mapfile.errors import UnusableFile, WrongSource
from originmap.mapfile.zone_entries import BrokenEntry, Entry, entries

MAX_GENERATED = 1 << 16
"""How many records all $GENERATE of a file may stand for."""

_WANTED = ("A", "AAAA", "CNAME")
_GENERIC = {"TYPE1": "A", "TYPE28": "AAAA", "TYPE5": "CNAME"}  # RFC 3597 §5
_TTL = re.compile(r"[0-9]+|(?:[0-9]+[smhdw])+", re.IGNORECASE)
_CLASS = re.compile(r"IN|CH|HS|CS|ANY|NONE|CLASS[0-9]+", re.IGNORECASE)
_AGE = re.compile(r"\[AGE:[0-9]+\]", re.IGNORECASE)  # of Windows' DNS server
_KIND = re.compile("[A-Z][A-Z0-9_-]*")  # with _ those that dnscontrol and its like add
# How Cloudflare's export and Windows' DNS server name the zone.
_DOMAIN = re.compile(
    r";+\s*(?:Domain:\s+(\S+)|Database file \S+ for (?:.* in zone )?(\S+?)(?: zone)?\.?)\s*",
    re.IGNORECASE,
)


class ZoneRecords(NamedTuple):
    """The addresses of a zone, each with the names that lead to it, sorted; and a line for each
    kind of records that were passed over."""

    zone: str
    names: dict[Address, list[str]]
    skipped: list[str]


class _Record(NamedTuple):
    """A record as it was written. `kind` is its type, or that and a class other than IN."""

    owner: str
    kind: str
    data: list[str]


def read_zone_file(file: Path, text: str, zone: str | None) -> ZoneRecords:
    """The addresses of a zone file; without `zone`, or with an id, the file has to name it.

    Raises UnusableFile, or WrongSource with all that is wrong.
    """
    try:
        found = list(entries(text))
    except BrokenEntry as error:
        raise WrongSource([f"{file}:{error.line}: not a zone file: {error}"]) from None
    given = zone if zone and not is_zone_id(zone) else None
    name = _named(file, given) if given else _zone_of(found)
    if name is None:
        reason = "no SOA record, no $ORIGIN and no comment names the zone"
        raise UnusableFile(str(file), reason, "give the zone's name: --zone example.com")
    reader = _Reader(file, name)
    for entry in found:
        reader.read(entry)
    return reader.records()


def _named(file: Path, zone: str) -> dns.name.Name:
    with contextlib.suppress(dns.exception.DNSException, UnicodeError):
        if may_be_zone(zone):
            return dns.name.from_text(zone, dns.name.root)
    raise UnusableFile(str(file), f"not the name of a zone: {zone!r}")


def _zone_of(found: list[Entry]) -> dns.name.Name | None:
    """The zone of a file: the owner of its SOA record, else what a comment says, else the first
    $ORIGIN."""
    comment = first = origin = None
    owner = "@"
    for entry in found:
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
            continue  # it is told when the entry is read
    found_name = comment or first
    return None if found_name == dns.name.root else found_name


def _top_name(text: str, origin: dns.name.Name | None) -> dns.name.Name | None:
    """The name that an SOA or a $ORIGIN is about; some write it without the dot at its end."""
    name = dns.name.from_text(text, None)
    if name.is_absolute():
        return name
    absolute = name.derelativize(dns.name.root)
    if origin is not None:
        return origin if absolute == origin else name.derelativize(origin)
    return absolute if len(name) > 1 else None


def _record(entry: Entry, owner: str) -> _Record:
    """The record that an entry is; `owner` is that of the one before. Raises ValueError."""
    words = list(entry.words)
    if not entry.indented:
        owner = words.pop(0)
    kind, others = "", ""
    while words:
        word = words.pop(0)
        if _CLASS.fullmatch(word):
            others = "" if word.upper() in ("IN", "CLASS1") else f"{word.upper()} "
        elif not (_TTL.fullmatch(word) or _AGE.fullmatch(word)):
            kind = word.upper()
            break
    if not kind:
        shown = " ".join(entry.words)[:60]
        raise ValueError(f"not a zone file: a record without a type: {shown!r}")
    if not _KIND.fullmatch(kind):
        raise ValueError(f"neither a TTL, a class nor a type: {word!r}")
    return _Record(owner, others + _GENERIC.get(kind, kind), words)


class _Reader:
    """Reads entries one after the other, and keeps what is wrong and what is passed over."""

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
        """Take one entry in."""
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
        except (dns.exception.DNSException, UnicodeError) as error:
            words = " ".join(entry.words)[:60]
            self._problems.append(f"{self._file}:{entry.line}: not a zone file: {words!r}: {error}")
        except ValueError as error:
            self._problems.append(f"{self._file}:{entry.line}: {error}")

    def records(self) -> ZoneRecords:
        """All that was read. Raises WrongSource."""
        if self._problems:
            raise WrongSource(self._problems)
        found: dict[Address, set[dns.name.Name]] = {}
        for name, there in self._names.items():
            for address in there:
                found.setdefault(address, set()).add(name)
        for alias in self._aliases:
            there = self._names.get(self._target(alias), set())
            self._others["CNAME"] += not there
            for address in there:
                found[address].add(alias)
        names = {
            address: sorted(name.to_text(omit_final_dot=True) for name in found[address])
            for address in sorted(found)
        }
        return ZoneRecords(self._zone.to_text(omit_final_dot=True), names, self._skipped())

    def _directive(self, words: list[str]) -> None:
        name, *arguments = words
        match name.upper():
            case "$TTL" | "$DATE":  # the latter begins what BIND's rndc dumpdb writes
                pass
            case "$ORIGIN" if len(arguments) == 1:
                self._origin = _top_name(arguments[0], self._origin) or self._origin
            case "$GENERATE" if len(arguments) >= 4:
                self._generate(arguments)
            case "$INCLUDE":
                raise ValueError(
                    f"{' '.join(words)!r} is not followed: put all records into one file, as"
                    " named-compilezone -o FILE ZONE INPUT does"
                )
            case _:
                raise ValueError(
                    f"not a zone file: unknown or incomplete: {' '.join(words)[:60]!r}"
                )

    def _generate(self, arguments: list[str]) -> None:
        """$GENERATE, of BIND: a range, an owner, and the rest of a record."""
        start, stop, step = dns.grange.from_text(arguments[0])
        count = len(range(start, stop + 1, step))
        _, kind, data = _record(Entry(0, False, arguments[1:]), "")
        if kind not in _WANTED:
            self._others[kind] += count
            return
        self._generated += count
        if self._generated > MAX_GENERATED:
            raise ValueError(f"$GENERATE stands for more than {MAX_GENERATED:,} records")
        made = dns.zone.from_text(
            f"$ORIGIN {self._origin}\n$GENERATE {arguments[0]} {arguments[1]} 0 IN {kind}"
            f" {' '.join(data)}\n",
            origin=dns.name.root,
            relativize=False,
            check_origin=False,
        )
        for owner, _, record in made.iterate_rdatas():
            self._take(owner, kind, [record.to_text()])

    def _take(self, owner: dns.name.Name, kind: str, data: list[str]) -> None:
        """A record of a type that is wanted. Raises ValueError."""
        if not owner.is_subdomain(self._zone):
            self._outside += 1
        elif kind == "CNAME":
            if len(data) != 1:
                raise ValueError(f"not the name of a host: {' '.join(data)!r}")
            self._aliases[owner] = dns.name.from_text(data[0], self._origin)
        else:
            text = _address(kind, data)
            try:
                self._names.setdefault(owner, set()).add(addresses.parse(text))
            except InvalidAddress:
                self._unusable[text] += 1

    def _target(self, alias: dns.name.Name) -> dns.name.Name:
        """Where an alias leads in the end; a chain that is a ring leads into itself."""
        seen = {alias}
        while (target := self._aliases.get(alias)) is not None and target not in seen:
            seen.add(target)
            alias = target
        self._aliases.update(dict.fromkeys(seen - {alias}, alias))  # a long chain is walked once
        return alias

    def _skipped(self) -> list[str]:
        lines = []
        if count := self._others.total():
            ordered = sorted(self._others.items(), key=lambda each: (-each[1], each[0]))
            listed = ", ".join(f"{number:,} {kind}" for kind, number in ordered if number)
            which = "that is not A or AAAA", "that are not A or AAAA"
            lines.append(f"{_skipped(count, *which)}: {listed}")
        if count := self._unusable.total():
            which = "with an address that no origin has", "with addresses that no origin has"
            lines.append(f"{_skipped(count, *which)}: {', '.join(sorted(self._unusable))}")
        if self._outside:
            there = f"outside the zone {self._zone.to_text(omit_final_dot=True)}"
            lines.append(_skipped(self._outside, there, there))
        return lines


def _skipped(count: int, one: str, several: str) -> str:
    return f"skipped 1 record {one}" if count == 1 else f"skipped {count:,} records {several}"


def _address(kind: str, data: list[str]) -> str:
    """The address of an A or AAAA record. Raises ValueError."""
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
    raise ValueError(f"not the address of an {kind} record: {text!r}")

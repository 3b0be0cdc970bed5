"""The state of a server as JSON that people can read, compare and write.

    {
     "originmap_state": 1,
     "at": "2026-03-01T12:00:00.000000Z",
     "revision": 5,
     "accounts": [{"id": "023e…", "name": "Example", "created_on": "2026-03-01T12:00:00.000000Z"}],
     "zones": […], "users": […], "tokens": […], "topology": […], "latencies": […],
     "catalogue": […], "rollout": […],
     "mappings": {
      "023e105f4ecef8ad9ca31a8372d0c353": {
       "192.0.2.1": ["aws", "us-east-1", "2026-03-01T12:00:00.000000Z", 5]
      }
     }
    }

Records have the members of the database, times as in the API; tokens and users have the SHA-256 of
their secrets. A mapping has its vendor, region, time of change and revision; the last two may be
left out. A state that is loaded and saved again has the same bytes. Hooks, which have secrets, and
reports are not part of a state.
"""

import json
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from originmap.api.body import NOT_JSON
from originmap.api.timestamps import parse_timestamp, timestamp
from originmap.domain.errors import BrokenFeed, InvalidAddress, InvalidQuery
from originmap.domain.history.record import Key, Kind, Value
from originmap.domain.history.snapshot import Part, Record, SnapshotStart, ZoneMappings
from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.mapping import MAX_MAPPINGS
from originmap.domain.mapping.mapping import Mapping as RegionMapping
from originmap.feed.changes_json import read_names
from originmap.feed.record_json import check_record, raw_record, read_record

FORMAT = 1
_MEMBERS = {
    Kind.ACCOUNT: "accounts",
    Kind.USER: "users",
    Kind.ZONE: "zones",
    Kind.TOKEN: "tokens",
    Kind.TOPOLOGY: "topology",
    Kind.LATENCIES: "latencies",
    Kind.CATALOGUE: "catalogue",
    Kind.ROLLOUT: "rollout",
}
_SINGLE = {Kind.TOPOLOGY, Kind.LATENCIES, Kind.ROLLOUT}
"""Kinds with one record, whose ID is constant and not saved."""
_TIMES = {
    "changed_on",
    "created_on",
    "expires_on",
    "issued_on",
    "measured_on",
    "modified_on",
    "not_before",
    "started_on",
}


async def write_state(parts: AsyncIterator[Part]) -> bytes:
    """Encode a snapshot."""
    start = SnapshotStart("", 0, 0)
    records: dict[Kind, dict[str, Any]] = {kind: {} for kind in _MEMBERS}
    zones: dict[str, dict[addresses.Address, RegionMapping]] = {}
    async for part in parts:
        match part:
            case SnapshotStart():
                start = part
            case Record(key, value) if key.kind in _MEMBERS:
                records[key.kind][key.id] = _shown(msgspec.json.decode(raw_record(value)))
            case ZoneMappings(zone_id, mappings):
                zones.setdefault(zone_id, {}).update({m.address: m for m in mappings})
    members = [
        f' "originmap_state": {FORMAT}',
        f' "at": "{timestamp(start.at)}"',
        f' "revision": {start.revision}',
        *(
            f' "{name}": {_lines(records[kind][id_] for id_ in sorted(records[kind]))}'
            for kind, name in _MEMBERS.items()
        ),
        f' "mappings": {_zones(zones)}',
    ]
    return ("{\n" + ",\n".join(members) + "\n}\n").encode()


def _zones(zones: Mapping[str, Mapping[addresses.Address, RegionMapping]]) -> str:
    texts = [
        f'  "{zone_id}": {{\n'
        + ",\n".join(f"   {_mapping(zones[zone_id][at])}" for at in sorted(zones[zone_id]))
        + "\n  }"
        for zone_id in sorted(zones)
    ]
    return "{\n" + ",\n".join(texts) + "\n }" if texts else "{}"


def _mapping(mapping: RegionMapping) -> str:
    address, (vendor, region), modified_on, revision = mapping
    row = f'["{vendor}", "{region}", "{timestamp(modified_on)}", {revision}]'
    return f'"{addresses.text(address)}": {row}'


def _lines(values: Iterator[Any]) -> str:
    texts = [json.dumps(value, ensure_ascii=False, indent=1) for value in values]
    indented = [text.replace("\n", "\n  ") for text in texts]
    return "[\n  " + ",\n  ".join(indented) + "\n ]" if texts else "[]"


def _shown(value: Any, name: str = "") -> Any:
    """A record with its times as text."""
    if isinstance(value, dict):
        return {key: _shown(member, key) for key, member in value.items()}
    if isinstance(value, list):
        return [_shown(member) for member in value]
    return timestamp(value) if name in _TIMES and isinstance(value, int) else value


def read_state(body: bytes, now: int) -> list[Part]:
    """Decode a state into a snapshot of a new epoch. `now` is the time of mappings without one.

    Raises InvalidQuery, which names the first wrong member.
    """
    try:
        state = msgspec.json.decode(body)
    except NOT_JSON as error:
        raise InvalidQuery(f"the state is not JSON: {error}") from None
    if not isinstance(state, dict) or state.get("originmap_state") != FORMAT:
        raise InvalidQuery(f'a state is an object with "originmap_state": {FORMAT}')
    known = {"originmap_state", "at", "revision", "mappings", *_MEMBERS.values()}
    if unknown := sorted(state.keys() - known):
        raise InvalidQuery(
            f"state: unknown member {unknown[0]} (known: {', '.join(sorted(known))})"
        )
    records = [record for kind in _MEMBERS for record in _records(kind, state)]
    zones = {record.key.id for record in records if record.key.kind is Kind.ZONE}
    at, revision = _time(state, "at", now), _revision(state.get("revision", len(records)))
    mappings = [*_mappings(state.get("mappings", {}), zones, at, revision)]
    newest = max((m.revision for part in mappings for m in part.mappings), default=0)
    start = SnapshotStart(secrets.token_hex(8), max(revision, newest), at)
    return [start, *records, *mappings]


def _records(kind: Kind, state: Mapping[str, Any]) -> Iterator[Record]:
    name = _MEMBERS[kind]
    values = state.get(name, [])
    if not isinstance(values, list):
        raise InvalidQuery(f"state: {name} is not a list")
    seen: set[str] = set()
    for index, value in enumerate(values):
        id_ = value.get("id") if isinstance(value, dict) else None
        if kind in _SINGLE:
            id_ = kind.value
        if not isinstance(id_, str) or id_ in seen:
            raise InvalidQuery(f"state: {name}[{index}] needs an id of its own")
        seen.add(id_)
        yield Record(Key(kind, id_), _record(Key(kind, id_), value, f"{name}[{index}]"))


def _record(key: Key, value: Any, place: str) -> Value:
    raw = msgspec.Raw(msgspec.json.encode(_stored(value, place)))
    try:
        record = read_record(key, raw)
        assert record is not None
        return check_record(key, record)
    except BrokenFeed as error:
        raise InvalidQuery(f"state: {place}: {error}") from None


def _stored(value: Any, place: str, name: str = "") -> Any:
    """A record with its times in microseconds."""
    if isinstance(value, dict):
        return {key: _stored(member, place, key) for key, member in value.items()}
    if isinstance(value, list):
        return [_stored(member, place) for member in value]
    return _moment(value, f"{place}: {name}") if name in _TIMES and value is not None else value


def _mappings(zones: Any, known: set[str], at: int, revision: int) -> Iterator[ZoneMappings]:
    if not isinstance(zones, dict):
        raise InvalidQuery("state: mappings is not an object")
    for zone_id in sorted(zones):
        rows = zones[zone_id]
        place = f"mappings of {zone_id}"
        if zone_id not in known:
            raise InvalidQuery(f"state: {place}: no such zone in zones")
        if not isinstance(rows, dict) or len(rows) > MAX_MAPPINGS:
            raise InvalidQuery(f"state: {place}: not an object of at most {MAX_MAPPINGS} addresses")
        found = [_row(ip, row, f"{place}: {ip}", at, revision) for ip, row in rows.items()]
        if len({m.address for m in found}) < len(found):
            raise InvalidQuery(f"state: {place}: an address is there twice")
        yield ZoneMappings(zone_id, sorted(found))


def _row(ip: str, row: Any, place: str, at: int, revision: int) -> RegionMapping:
    fields = [*row] if isinstance(row, list) else []
    if not 2 <= len(fields) <= 4 or not all(isinstance(name, str) for name in fields[:2]):
        raise InvalidQuery(f'state: {place}: not ["vendor", "region"] with a time and a revision')
    try:
        address, region = addresses.parse(ip), read_names(fields[0], fields[1])
    except (InvalidAddress, BrokenFeed) as error:
        raise InvalidQuery(f"state: {place}: {error}") from None
    modified_on = _moment(fields[2], place) if len(fields) > 2 else at
    return RegionMapping(
        address, region, modified_on, _revision(fields[3]) if len(fields) > 3 else revision
    )


def _time(state: Mapping[str, Any], name: str, default: int) -> int:
    return _moment(state[name], name) if name in state else default


def _moment(value: Any, place: str) -> int:
    try:
        return parse_timestamp(value)
    except (TypeError, ValueError):
        must = "is not a time like 2026-03-01T12:00:00Z"
        raise InvalidQuery(f"state: {place}: {value!r} {must}") from None


def _revision(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 53:
        raise InvalidQuery(f"state: not a revision: {value!r}")
    return value


def parts_of(parts: Sequence[Part]) -> AsyncIterator[Part]:
    """The parts as a store loads them."""

    async def generate() -> AsyncIterator[Part]:
        for part in parts:
            yield part

    return generate()

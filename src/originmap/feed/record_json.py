"""Records in the feed: as the database stores them, times in microseconds since 1970 UTC.

Tokens and users include the hash of their secret, hooks the secret itself. Readers that may not
have it do not get the record at all.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from originmap.domain.access.token import Token
from originmap.domain.access.token_rules import check_prefixes
from originmap.domain.errors import BrokenFeed, InvalidInput
from originmap.domain.history.record import TYPES, Key, Kind, Value
from originmap.domain.hook.errors import HookError
from originmap.domain.hook.hook import Hook, check_hook
from originmap.domain.mapping import own_regions
from originmap.domain.mapping.own_region_errors import OwnRegionError
from originmap.domain.mapping.own_regions import OwnRegions
from originmap.domain.rollout.rollout import Rollout
from originmap.domain.tier import latency, topology_problems
from originmap.domain.tier.latency import Latencies
from originmap.domain.tier.topology import Topology
from originmap.domain.zone.pool import checked_pools
from originmap.domain.zone.zone import Zone, checked_name

_DECODERS = {kind: msgspec.json.Decoder(type_) for kind, type_ in TYPES.items()}
_ENCODER = msgspec.json.Encoder()
_ZONE_ID = re.compile(r"[0-9a-f]{32}")
FIRST_TIME, LAST_TIME = -62_135_596_800_000_000, 253_402_300_799_999_999
"""The years 1 to 9999, in microseconds since 1970: other times cannot be formatted."""
NULL = msgspec.Raw(b"null")


def raw_record(value: Value | None) -> msgspec.Raw:
    """Return a record as JSON, null for None."""
    return NULL if value is None else msgspec.Raw(_ENCODER.encode(value))


def read_key(kind: str, id_: str) -> Key:
    """Return the key of a record. Raises BrokenFeed if this version does not know the kind."""
    try:
        return Key(Kind(kind), id_)
    except ValueError:
        raise BrokenFeed(f"unknown kind of record: {kind}") from None


def read_record(key: Key, raw: msgspec.Raw) -> Value | None:
    """Parse a record that `raw_record` wrote. Raises BrokenFeed."""
    if bytes(raw) == b"null":
        return None
    if key.kind not in _DECODERS:
        raise BrokenFeed(f"a record cannot have kind {key.kind.value}")
    try:
        return _DECODERS[key.kind].decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BrokenFeed(f"{key.kind.value} {key.id}: {error}") from None


def check_record(key: Key, value: Value) -> Value:
    """Return `value` if a primary would accept it under this key. Raises BrokenFeed."""
    if value.id != key.id:
        raise BrokenFeed(f"{key.kind.value} {key.id} has the ID {value.id}")
    check = _CHECKS.get(type(value))
    try:
        if check is not None:
            check(value)
        if not isinstance(value, Latencies):  # it has many numbers and its own check
            _check_numbers(value)
    except (HookError, InvalidInput, OwnRegionError) as error:
        raise BrokenFeed(f"{key.kind.value} {key.id}: {error}") from None
    return value


def _check_latencies(latencies: Latencies) -> None:
    latency.check(latencies.measurements, LAST_TIME)
    if any(each.measured_on < FIRST_TIME for each in latencies.measurements):
        raise BrokenFeed("a measurement is from before the year 1")


def _check_zone(zone: Zone) -> None:
    if not _ZONE_ID.fullmatch(zone.id):
        raise BrokenFeed(f"invalid ID of a zone: {zone.id!r}")
    checked_name(zone.name)
    if zone.pools != checked_pools(zone.pools):
        raise BrokenFeed("the pools are not in canonical form")


def _check_token(token: Token) -> None:
    if token.request_ip is not None:
        check_prefixes(token.request_ip)


def _check_rollout(rollout: Rollout) -> None:
    if rollout.releasing and not rollout.stages:
        raise BrokenFeed("the rollout has no stages: update the server that sends the feed")
    if min(rollout.number, rollout.base, rollout.target or 0, rollout.released) < 0:
        raise BrokenFeed("a number of the rollout is negative")


_CHECKS: dict[type[Value], Callable[[Any], object]] = {
    Topology: topology_problems.check,
    Latencies: _check_latencies,
    OwnRegions: lambda own: own_regions.check(own.regions),
    Hook: lambda hook: check_hook(hook, private=True),
    Zone: _check_zone,
    Token: _check_token,
    Rollout: _check_rollout,
}
"""They raise BrokenFeed, HookError, InvalidInput and OwnRegionError."""


def _check_numbers(value: Value) -> None:
    """Times are the largest numbers of a record. Raises BrokenFeed."""
    for number in _numbers(msgspec.to_builtins(value)):
        if not FIRST_TIME <= number <= LAST_TIME:
            raise BrokenFeed(f"{number} is not a time of the years 1 to 9999")


def _numbers(value: object) -> Iterator[int]:
    if isinstance(value, int):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _numbers(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _numbers(each)

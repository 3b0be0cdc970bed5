"""Records in the feed: as the database stores them, times in microseconds since 1970 UTC.

Tokens and users include the hash of their secret, hooks the secret itself. Readers that may not
have it do not get the record at all.
"""

import sys

import msgspec

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
    try:
        if isinstance(value, Topology):
            topology_problems.check(value)
        elif isinstance(value, Latencies):
            latency.check(value.measurements, sys.maxsize)
        elif isinstance(value, OwnRegions):
            own_regions.check(value.regions)
        elif isinstance(value, Hook):
            check_hook(value, private=True)
        elif isinstance(value, Zone):
            checked_name(value.name)
            if value.pools != checked_pools(value.pools):
                raise BrokenFeed("the pools are not in canonical form")
        elif isinstance(value, Rollout) and value.releasing and not value.stages:
            raise BrokenFeed("the rollout has no stages: update the server that sends the feed")
    except (HookError, InvalidInput, OwnRegionError) as error:
        raise BrokenFeed(f"{key.kind.value} {key.id}: {error}") from None
    return value

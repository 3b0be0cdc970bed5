"""The edge form of a database: the part of it that the edge agent of a node can read.

It contains zones with their mappings, the topology, the latencies, the own regions and the
rollout. It does not contain accounts, users, tokens and causes. A hidden change keeps its revision
and time, so that a replica of this form follows its primary without a gap.
"""

import functools
import hashlib
from dataclasses import replace

from originmap.domain.access.permissions import READ_STATE, Grants
from originmap.domain.history.change import Cause, Change
from originmap.domain.history.record import HIDDEN, TYPES, Kind, RecordChange, Value
from originmap.domain.rollout.rollout import Rollout
from originmap.domain.zone.zone import Zone

_KINDS = (Kind.ZONE, Kind.TOPOLOGY, Kind.LATENCIES, Kind.CATALOGUE, Kind.ROLLOUT)
_SHOWN = tuple(TYPES[kind] for kind in _KINDS)
_NOBODY = Cause("", "", "")


@functools.lru_cache(maxsize=1024)
def edge_epoch(epoch: str, grants: Grants) -> str:
    """The epoch of the edge form for these grants. It differs from that of other grants and of the
    whole database, so that a reader whose grants change does a full sync."""
    return hashlib.sha256(f"edge 1 {epoch} {grants.scope}".encode()).hexdigest()[:16]


def sees_zone(grants: Grants, zone_id: str, zone: Zone | None) -> bool:
    """Whether the grants cover a zone; `zone` is None if it no longer exists."""
    return grants.cover_zone(READ_STATE, zone_id, zone.account_id if zone else "")


def edge_record(value: Value) -> Value | None:
    """The edge form of a record, None if it is hidden. The caller checks `sees_zone`."""
    if isinstance(value, Rollout):
        return replace(value, why="", by="")
    return value if isinstance(value, _SHOWN) else None


def edge_change(change: Change, *, zone_seen: bool) -> Change:
    """The edge form of a change; `zone_seen` is the result of `sees_zone` for its zone, if any."""
    what = change.what
    if isinstance(what, RecordChange):
        if what.key.kind not in _KINDS:
            return hidden(change)
        before, after = (v if v is None else edge_record(v) for v in (what.before, what.after))
        what = RecordChange(what.key, before, after)
    if change.zone_id and not zone_seen:
        return hidden(change)
    return change._replace(cause=_NOBODY, what=what)


def hidden(change: Change) -> Change:
    """A change with its revision and time only."""
    return Change(change.revision, change.at, _NOBODY, "", HIDDEN)

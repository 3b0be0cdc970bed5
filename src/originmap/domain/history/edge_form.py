"""The edge form of a database: what a node of a cache may have of it.

Zones with their mappings, the topology, the latencies and the rollout, without who did what:
no accounts, users and tokens, and no causes. A change that is left out keeps its revision and
time, so that a copy of this form follows its primary without a gap.
"""

import functools
import hashlib
from dataclasses import replace

from originmap.domain.access.permissions import READ_STATE, Grants
from originmap.domain.history.change import Cause, Change
from originmap.domain.history.record import HIDDEN, TYPES, Kind, RecordChange, Value
from originmap.domain.rollout.rollout import Rollout
from originmap.domain.zone.zone import Zone

_KINDS = (Kind.ZONE, Kind.TOPOLOGY, Kind.LATENCIES, Kind.ROLLOUT)
_SHOWN = tuple(TYPES[kind] for kind in _KINDS)
_NOBODY = Cause("", "", "")


@functools.lru_cache(maxsize=1024)
def edge_epoch(epoch: str, grants: Grants) -> str:
    """Names what these grants show of a database: a copy for others, or of the whole, is another
    database to its reader, which starts anew then."""
    return hashlib.sha256(f"edge 1 {epoch} {grants.scope}".encode()).hexdigest()[:16]


def sees_zone(grants: Grants, zone_id: str, zone: Zone | None) -> bool:
    """Whether a zone is in it; `zone` is None for one that nobody knows any more."""
    return grants.cover_zone(READ_STATE, zone_id, zone.account_id if zone else "")


def edge_record(value: Value) -> Value | None:
    """A record as it is shown, None for one that is left out; a zone is there if it is seen."""
    if isinstance(value, Rollout):
        return replace(value, why="", by="")
    return value if isinstance(value, _SHOWN) else None


def edge_change(change: Change, *, zone_seen: bool) -> Change:
    """A change as it is shown; `zone_seen` says whether its zone is, if it is of one."""
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
    """Nothing of a change but its revision and time."""
    return Change(change.revision, change.at, _NOBODY, "", HIDDEN)

"""What a reader of the feed sees of it: the zones that its credential may read, and what all may
see. Accounts, users and tokens, which have hashes of secrets, go to replicas alone, and so do
rollouts: why one was halted may name anybody's zones. Edge nodes see the edge form."""

from collections.abc import Iterable
from typing import NamedTuple

from originmap.domain.access.permissions import READ_STATE, Grants, Group
from originmap.domain.history.change import Change
from originmap.domain.history.edge_form import edge_change, edge_epoch, edge_record, sees_zone
from originmap.domain.history.record import Kind, RecordChange
from originmap.domain.history.snapshot import (
    EDGE,
    READABLE,
    WHOLE,
    History,
    Part,
    Record,
    SnapshotStart,
)
from originmap.domain.mapping.mapping import MappingChange
from originmap.domain.zone.zone import Zone
from originmap.service.history.past_zones import PastZones

_FOR_ALL = (Kind.TOPOLOGY, Kind.LATENCIES)


class View(NamedTuple):
    """One reader's. Readers with equal views are sent the same.

    `credential` is its id; `zone_id` is the one zone asked for, None for all; `whole` shows
    everything, and is for a replica; `edge` shows the edge form, and is for an edge node.
    """

    credential: str
    grants: Grants
    zone_id: str | None = None
    whole: bool = False
    edge: bool = False

    @property
    def key(self) -> tuple[str, str | None, bool, bool]:
        """Equal for equal views, as long as the credential's rights stay what they are."""
        return (self.credential, self.zone_id, self.whole, self.edge)

    @property
    def complete(self) -> bool:
        """Whether every revision is in it, so that a copy can follow it."""
        return self.whole or self.edge

    @property
    def form(self) -> str:
        """As in `SnapshotStart`."""
        return WHOLE if self.whole else EDGE if self.edge else READABLE

    def epoch(self, epoch: str) -> str:
        """What the reader knows the database of this epoch by."""
        return edge_epoch(epoch, self.grants) if self.edge else epoch

    def may_read(self, zone: Zone | None) -> bool:
        """Whether a zone is seen."""
        if zone is None or self.zone_id not in (None, zone.id):
            return self.whole
        return self.whole or self.grants.cover_zone(READ_STATE, zone.id, zone.account_id)

    async def of(self, changes: Iterable[Change], zones: PastZones) -> list[Change]:
        """The changes that are seen."""
        if self.whole:
            return list(changes)
        if self.edge:
            return [await self._in_edge_form(change, zones) for change in changes]
        seen: dict[str, bool] = {}
        found = []
        for change in changes:
            if not self._concerns(change):
                continue
            zone_id = change.zone_id
            if zone_id and zone_id not in seen:
                seen[zone_id] = self.may_read(await zones.zone(zone_id))
            if not zone_id or seen[zone_id]:
                found.append(change)
        if self.grants.node is Group.EDGE:  # that it asks for one zone shows it no more
            return [edge_change(change, zone_seen=True) for change in found]
        return found

    async def part(self, part: Part, readable: set[str], zones: PastZones) -> Part | None:
        """A part of a snapshot as it is seen, None for one that is not; remembers in `readable`
        the zones that are."""
        if isinstance(part, SnapshotStart):
            return part._replace(epoch=self.epoch(part.epoch), form=self.form)
        if self.edge:
            return await self._edge_part(part, readable, zones)
        return part if self._shows(part, readable) else None

    async def _edge_part(self, part: Part, readable: set[str], zones: PastZones) -> Part | None:
        if isinstance(part, History):
            return History(await self.of(part.changes, zones))
        if not isinstance(part, Record):
            return part if getattr(part, "zone_id", "") in readable else None
        if isinstance(part.value, Zone):
            if not sees_zone(self.grants, part.key.id, part.value):
                return None
            readable.add(part.key.id)
        value = edge_record(part.value)
        return None if value is None else Record(part.key, value)

    async def _in_edge_form(self, change: Change, zones: PastZones) -> Change:
        zone_id = change.zone_id
        seen = bool(zone_id) and sees_zone(self.grants, zone_id, await zones.zone(zone_id))
        return edge_change(change, zone_seen=seen)

    def _shows(self, part: Part, readable: set[str]) -> bool:
        if self.whole:
            return True
        if isinstance(part, Record):
            if isinstance(part.value, Zone) and self.may_read(part.value):
                readable.add(part.key.id)
                return True
            return self.zone_id is None and part.key.kind in _FOR_ALL
        return getattr(part, "zone_id", "") in readable

    def _concerns(self, change: Change) -> bool:
        what = change.what
        if isinstance(what, RecordChange) and what.key.kind is not Kind.ZONE:
            return self.zone_id is None and what.key.kind in _FOR_ALL
        assert isinstance(what, MappingChange | RecordChange)
        return self.zone_id in (None, change.zone_id)

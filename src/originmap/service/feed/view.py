"""The part of the feed that a reader may see.

A reader sees the zones that its credential may read, and what all may read. Accounts, users and
tokens, which include hashes of secrets, go only to replicas. So do rollouts, because the reason of
a halt may name any zone. Edge nodes see the edge form.
"""

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

_FOR_ALL = (Kind.TOPOLOGY, Kind.LATENCIES, Kind.CATALOGUE)


class View(NamedTuple):
    """The view of one reader. Readers with equal views get the same bytes.

    `credential` is the credential's ID. `zone_id` limits the view to one zone, None for all.
    `whole` shows everything, for a replica. `edge` shows the edge form, for an edge node.
    """

    credential: str
    grants: Grants
    zone_id: str | None = None
    whole: bool = False
    edge: bool = False

    @property
    def key(self) -> tuple[str, str | None, bool, bool]:
        """Equal for equal views, as long as the permissions of the credential do not change."""
        return (self.credential, self.zone_id, self.whole, self.edge)

    @property
    def complete(self) -> bool:
        """Whether the view has every revision, so that a copy can follow it."""
        return self.whole or self.edge

    @property
    def form(self) -> str:
        """The form of a snapshot, see `SnapshotStart`."""
        return WHOLE if self.whole else EDGE if self.edge else READABLE

    def epoch(self, epoch: str) -> str:
        """Return the epoch that the reader sees for the database with this epoch."""
        return edge_epoch(epoch, self.grants) if self.edge else epoch

    def may_read(self, zone: Zone | None) -> bool:
        """Report whether the reader may see a zone."""
        if zone is None or self.zone_id not in (None, zone.id):
            return self.whole
        return self.whole or self.grants.cover_zone(READ_STATE, zone.id, zone.account_id)

    async def of(self, changes: Iterable[Change], zones: PastZones) -> list[Change]:
        """Return the changes that the reader may see."""
        if self.whole:
            return list(changes)
        if self.edge:
            return [await self._in_edge_form(change, zones) for change in changes]
        visible: dict[str, bool] = {}
        shown = []
        for change in changes:
            if not self._concerns(change):
                continue
            zone_id = change.zone_id
            if zone_id and zone_id not in visible:
                visible[zone_id] = self.may_read(await zones.zone(zone_id))
            if not zone_id or visible[zone_id]:
                shown.append(change)
        if self.grants.node is Group.EDGE:  # a request for one zone reveals no more
            return [edge_change(change, zone_seen=True) for change in shown]
        return shown

    async def part(self, part: Part, readable: set[str], zones: PastZones) -> Part | None:
        """Return a part of a snapshot as the reader may see it, None if it may not. The IDs of
        visible zones are added to `readable`."""
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

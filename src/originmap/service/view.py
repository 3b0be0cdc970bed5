"""What a reader of the feed sees of it: the zones that its credential may read, and what all may
see. Accounts, users and tokens, which have hashes of secrets, go to replicas alone, and so do
rollouts: why one was halted may name anybody's zones."""

from collections.abc import Iterable
from typing import NamedTuple

from originmap.domain.access import READ_MAPPINGS, Grants
from originmap.domain.change import Change
from originmap.domain.mapping import MappingChange
from originmap.domain.record import Kind, RecordChange
from originmap.domain.snapshot import Part, Record, Start
from originmap.domain.zone import Zone
from originmap.service.past_zones import PastZones

_FOR_ALL = (Kind.TOPOLOGY, Kind.LATENCIES)


class View(NamedTuple):
    """One reader's. Readers with equal views are sent the same.

    `credential` is its id; `zone_id` is the one zone asked for, None for all; `whole` shows
    everything, and is for a replica.
    """

    credential: str
    grants: Grants
    zone_id: str | None = None
    whole: bool = False

    @property
    def key(self) -> tuple[str, str | None, bool]:
        """Equal for equal views, as long as the credential's rights stay what they are."""
        return (self.credential, self.zone_id, self.whole)

    def may_read(self, zone: Zone | None) -> bool:
        """Whether a zone is seen."""
        if zone is None or self.zone_id not in (None, zone.id):
            return self.whole
        return self.whole or self.grants.cover_zone(READ_MAPPINGS, zone.id, zone.account_id)

    async def of(self, changes: Iterable[Change], zones: PastZones) -> list[Change]:
        """The changes that are seen."""
        if self.whole:
            return list(changes)
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
        return found

    def shows(self, part: Part, readable: set[str]) -> bool:
        """Whether a part of a snapshot is seen; remembers in `readable` the zones that are."""
        if self.whole or isinstance(part, Start):
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

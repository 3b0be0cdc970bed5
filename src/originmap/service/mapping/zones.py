"""Creating, listing, changing and deleting zones."""

from collections.abc import Iterable
from dataclasses import replace

from originmap.domain.access.permissions import READ_ZONE
from originmap.domain.history.change import Cause
from originmap.domain.history.record import RecordDecide
from originmap.domain.zone.filter import ZoneQuery, find
from originmap.domain.zone.name import read_zone_name
from originmap.domain.zone.pool import Pool
from originmap.domain.zone.rules import (
    SettingName,
    create_zone,
    delete_zone,
    name_zone_servers,
    pause_zone,
    retype_zone,
    set_pools,
    switch_setting,
)
from originmap.domain.zone.zone import Account, Zone, ZoneType
from originmap.service.access.directory import Caller, Directory
from originmap.service.access.secret import new_id
from originmap.store.clock import Now
from originmap.store.port import Store


def new_zone(name: object, account_id: str, now: int) -> Zone:
    """Return a zone with a new ID. Raises InvalidZoneName."""
    read = read_zone_name(name)
    zone = Zone(new_id(), read.ascii, account_id, now, now)
    return zone if read.shown == read.ascii else replace(zone, unicode_name=read.shown)


class Zones:
    """The use cases of zones. The caller checks permissions on a single zone."""

    def __init__(self, store: Store, directory: Directory, now: Now) -> None:
        self._store = store
        self._directory = directory
        self._now = now

    def visible(self, caller: Caller, query: ZoneQuery) -> list[Zone]:
        """Return the zones that match `query` and that `caller` may read."""
        readable = [
            (zone, self.account_of(zone))
            for zone in self._candidates(query)
            if caller.grants.cover_zone(READ_ZONE, zone.id, zone.account_id)
        ]
        return find(readable, query)

    def account_of(self, zone: Zone) -> Account:
        """Return the account that owns a zone."""
        account = self._directory.account(zone.account_id)
        assert account is not None
        return account

    async def create(
        self,
        name: object,
        account_id: str,
        type_: ZoneType,
        vanity_name_servers: tuple[str, ...] | None,
        cause: Cause,
    ) -> Zone:
        """Create a zone. Raises InvalidZoneName, AccountNotFound, ZoneExists."""
        zone = replace(
            new_zone(name, account_id, self._now()),
            type=type_, vanity_name_servers=vanity_name_servers,
        )  # fmt: skip
        done = await self._store.write_records(create_zone(zone), cause)
        return done.outcome

    async def pause(self, zone_id: str, paused: bool, cause: Cause) -> Zone:
        """Pause or resume a zone. Raises ZoneNotFound."""
        return await self._change(pause_zone(zone_id, paused, self._now()), cause)

    async def retype(self, zone_id: str, type_: ZoneType, cause: Cause) -> Zone:
        """Change the type of a zone. Raises ZoneNotFound."""
        return await self._change(retype_zone(zone_id, type_, self._now()), cause)

    async def name_servers(self, zone_id: str, names: tuple[str, ...] | None, cause: Cause) -> Zone:
        """Set the vanity name servers of a zone. Raises ZoneNotFound."""
        return await self._change(name_zone_servers(zone_id, names, self._now()), cause)

    async def switch(self, zone_id: str, setting: SettingName, on: bool, cause: Cause) -> Zone:
        """Change a setting of a zone. Raises ZoneNotFound."""
        return await self._change(switch_setting(zone_id, setting, on, self._now()), cause)

    async def set_pools(self, zone_id: str, pools: Iterable[Pool], cause: Cause) -> Zone:
        """Replace the load-balancing pools of a zone. Raises ZoneNotFound, InvalidPools."""
        return await self._change(set_pools(zone_id, pools, self._now()), cause)

    async def delete(self, zone_id: str, cause: Cause) -> None:
        """Delete a zone with its mappings. Raises ZoneNotFound."""
        await self._store.write_records(delete_zone(zone_id), cause)

    async def _change(self, decide: RecordDecide[Zone], cause: Cause) -> Zone:
        return (await self._store.write_records(decide, cause)).outcome

    def _candidates(self, query: ZoneQuery) -> list[Zone]:
        """Return the zones that can match. With a full name, as most tools send it, that is at most
        one."""
        if query.name is not None and ":" not in query.name and not query.any_matches:
            zone = self._directory.zone_named(query.name)
            return [zone] if zone else []
        return self._directory.zones()

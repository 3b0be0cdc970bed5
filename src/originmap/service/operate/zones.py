"""The operator's zones."""

import msgspec

from originmap.domain.errors import StoreEmpty
from originmap.domain.zone import Zone
from originmap.domain.zone_rules import create_zone
from originmap.service.directory import Directory
from originmap.service.operate.parts import OPERATOR, Handlers
from originmap.service.zones import new_zone
from originmap.store.clock import Now
from originmap.store.port import Store


class CreateZone(msgspec.Struct, frozen=True, tag=True):
    """Add a zone to the first account."""

    name: str


class ListZones(msgspec.Struct, frozen=True, tag=True):
    """Every zone."""


class ZoneView(msgspec.Struct, frozen=True):
    """A zone as an operator sees it; times are microseconds since 1970 UTC."""

    id: str
    name: str
    created_on: int


class OperateZones:
    """As `parts.Subject`."""

    def __init__(self, store: Store, directory: Directory, now: Now) -> None:
        self._store = store
        self._directory = directory
        self._now = now

    @property
    def handlers(self) -> Handlers:
        """As `Subject.handlers`."""
        return {CreateZone: self._create, ListZones: self._list}

    async def _create(self, command: CreateZone) -> list[ZoneView]:
        if not self._directory.loaded:
            raise StoreEmpty
        account = self._directory.accounts()[0]
        zone = new_zone(command.name, account.id, self._now())
        await self._store.write_records(create_zone(zone), OPERATOR)
        return [_view(zone)]

    async def _list(self, command: ListZones) -> list[ZoneView]:
        return [_view(zone) for zone in self._directory.zones()]


def _view(zone: Zone) -> ZoneView:
    return ZoneView(zone.id, zone.shown_name, zone.created_on)

"""The settings around mappings: Tiered Cache, Smart Tiered Cache, Regional Tiered Cache.

Published operations under /zones/{zone_id}/argo/tiered_caching,
…/cache/tiered_cache_smart_topology_enable and …/cache/regional_tiered_cache.
"""

from typing import Any

from falcon.asgi import Request, Response

from originmap.api import envelope
from originmap.api.auth import Guard
from originmap.api.body import read_object
from originmap.api.request import info_of
from originmap.api.timestamps import timestamp
from originmap.domain.access import READ_MAPPINGS, WRITE_MAPPINGS
from originmap.domain.errors import InvalidSetting
from originmap.domain.zone import Switch, Zone
from originmap.domain.zone_rules import SettingName
from originmap.service.zones import Zones


class ZoneSetting:
    """GET, PATCH of one setting. `setting` names the member of Zone, `id_` the setting as the
    API has it."""

    def __init__(self, guard: Guard, zones: Zones, setting: SettingName, id_: str) -> None:
        self._guard = guard
        self._zones = zones
        self._setting = setting
        self._id = id_

    async def on_get(self, req: Request, resp: Response, zone_id: str) -> None:
        """The setting; one that nobody set is there with its default."""
        zone = self._guard.zone(req, READ_MAPPINGS, zone_id)
        resp.data = envelope.success(self._json(zone))

    async def on_patch(self, req: Request, resp: Response, zone_id: str) -> None:
        """Set it to "on" or "off"."""
        self._guard.zone(req, WRITE_MAPPINGS, zone_id)
        value = (await read_object(req)).get("value")
        if value not in ("on", "off"):
            raise InvalidSetting
        zone = await self._switch(req, zone_id, on=value == "on")
        resp.data = envelope.success(self._json(zone))

    async def _switch(self, req: Request, zone_id: str, *, on: bool) -> Zone:
        cause = info_of(req.scope).cause()
        return await self._zones.switch(zone_id, self._setting, on, cause)

    def _json(self, zone: Zone) -> dict[str, Any]:
        switch: Switch = getattr(zone, self._setting)
        modified = None if switch.modified_on is None else timestamp(switch.modified_on)
        return {
            "editable": True,
            "id": self._id,
            "modified_on": modified,
            "value": "on" if switch.on else "off",
        }


class SmartTieredCache(ZoneSetting):
    """Smart Tiered Cache, which can be created and deleted too: POST is as PATCH, and DELETE
    leaves it off and answers without a value."""

    def __init__(self, guard: Guard, zones: Zones) -> None:
        id_ = "tiered_cache_smart_topology_enable"
        super().__init__(guard, zones, "smart_tiered_cache", id_)

    async def on_post(self, req: Request, resp: Response, zone_id: str) -> None:
        """As PATCH."""
        await self.on_patch(req, resp, zone_id)

    async def on_delete(self, req: Request, resp: Response, zone_id: str) -> None:
        """Switch it off."""
        self._guard.zone(req, WRITE_MAPPINGS, zone_id)
        answer = self._json(await self._switch(req, zone_id, on=False))
        del answer["value"]
        resp.data = envelope.success(answer)

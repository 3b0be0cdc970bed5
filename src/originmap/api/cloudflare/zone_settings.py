"""The zone settings that mappings depend on: Tiered, Smart Tiered and Regional Tiered Cache.

Published operations under /zones/{zone_id}/argo/tiered_caching,
…/cache/tiered_cache_smart_topology_enable and …/cache/regional_tiered_cache.
"""

from typing import Any

from originmap.api import envelope
from originmap.api.body import object_of
from originmap.api.http.request import Request
from originmap.api.http.response import Response
from originmap.api.timestamps import timestamp
from originmap.domain.errors import InvalidSetting
from originmap.domain.zone.rules import SettingName
from originmap.domain.zone.zone import Switch, Zone
from originmap.service.access.directory import Directory
from originmap.service.mapping.zones import Zones


class ZoneSettingRoutes:
    """GET, PATCH of one setting. `setting` is the attribute of Zone, `id_` the API's ID of the
    setting."""

    def __init__(self, directory: Directory, zones: Zones, setting: SettingName, id_: str) -> None:
        self._directory = directory
        self._zones = zones
        self._setting = setting
        self._id = id_

    def get_setting(self, request: Request) -> Response:
        """The setting; a setting that was never set has its default."""
        zone = self._directory.existing_zone(request.zone_id)
        return Response(envelope.success(self._json(zone)))

    async def set_setting(self, request: Request) -> Response:
        """Set it to "on" or "off"."""
        value = object_of(request.body).get("value")
        if value not in ("on", "off"):
            raise InvalidSetting
        zone = await self._switch(request, on=value == "on")
        return Response(envelope.success(self._json(zone)))

    async def delete_setting(self, request: Request) -> Response:
        """Switch the setting off; the response has no value."""
        answer = self._json(await self._switch(request, on=False))
        del answer["value"]
        return Response(envelope.success(answer))

    async def _switch(self, request: Request, *, on: bool) -> Zone:
        return await self._zones.switch(request.zone_id, self._setting, on, request.cause())

    def _json(self, zone: Zone) -> dict[str, Any]:
        switch: Switch = getattr(zone, self._setting)
        modified = None if switch.modified_on is None else timestamp(switch.modified_on)
        return {
            "editable": True,
            "id": self._id,
            "modified_on": modified,
            "value": "on" if switch.on else "off",
        }

"""The table of Cloudflare's routes. A literal segment wins over a parameter in its place."""

from typing import NamedTuple

from originmap.api.auth import Guard
from originmap.api.cloudflare.accounts import AccountItem, AccountList, CurrentUser
from originmap.api.cloudflare.audit_logs import AuditLogs
from originmap.api.cloudflare.batch import MappingBatch
from originmap.api.cloudflare.mappings import MappingItem, MappingList
from originmap.api.cloudflare.quick_mapping import ROUTE as _MAPPING
from originmap.api.cloudflare.supported_regions import SupportedRegions
from originmap.api.cloudflare.tokens import (
    AccountScope,
    PermissionGroups,
    TokenItem,
    TokenList,
    TokenScope,
    TokenValue,
    TokenVerify,
    UserScope,
)
from originmap.api.cloudflare.v1 import V1Batch, V1Item, V1List, V1SupportedRegions
from originmap.api.cloudflare.zone_settings import SmartTieredCache, ZoneSetting
from originmap.api.cloudflare.zones import ZoneItem, ZoneList
from originmap.domain.access import NODE_GROUPS, PermissionGroup
from originmap.service.audit import Audit
from originmap.service.detector import Detector
from originmap.service.directory import Directory
from originmap.service.mappings import Mappings
from originmap.service.regions import Regions
from originmap.service.tokens import Tokens
from originmap.service.zones import Zones

BASE = "/client/v4"
_ZONE = BASE + "/zones/{zone_id:hex32}"
_ACCOUNT = BASE + "/accounts/{account_id:hex32}"
_REGIONS = _ZONE + "/origin/cloud_regions"
_V1_REGIONS = _ZONE + "/cache/origin_cloud_regions"

Routes = dict[str, object]
"""Each path template with what answers there."""


class Services(NamedTuple):
    """What the routes are made of."""

    detector: Detector
    directory: Directory
    mappings: Mappings
    regions: Regions
    zones: Zones
    tokens: Tokens
    audit: Audit
    permission_groups: tuple[PermissionGroup, ...]


def routes(guard: Guard, services: Services, *, v1: bool) -> Routes:
    """All of them, those of v1 where it is enabled."""
    mappings, regions = services.mappings, services.regions
    return {
        _REGIONS: MappingList(guard, mappings),
        _REGIONS + "/batch": MappingBatch(guard, mappings, services.detector),
        _REGIONS + "/supported_regions": SupportedRegions(guard, regions),
        _MAPPING: MappingItem(guard, mappings, services.detector),
        **(_v1_routes(guard, mappings, regions) if v1 else {}),
        **_zone_routes(guard, services.zones),
        BASE + "/accounts": AccountList(guard, services.directory),
        _ACCOUNT: AccountItem(guard),
        _ACCOUNT + "/audit_logs": AuditLogs(guard, services.audit),
        BASE + "/user": CurrentUser(guard, services.directory),
        **_token_routes(BASE + "/user/tokens", UserScope(guard), guard, services),
        **_token_routes(_ACCOUNT + "/tokens", AccountScope(guard), guard, services),
    }


def _v1_routes(guard: Guard, mappings: Mappings, regions: Regions) -> Routes:
    return {
        _V1_REGIONS: V1List(guard, mappings),
        _V1_REGIONS + "/batch": V1Batch(guard, mappings),
        _V1_REGIONS + "/supported_regions": V1SupportedRegions(guard, regions),
        _V1_REGIONS + "/{origin_ip}": V1Item(guard, mappings),
    }


def _zone_routes(guard: Guard, zones: Zones) -> Routes:
    return {
        BASE + "/zones": ZoneList(guard, zones),
        _ZONE: ZoneItem(guard, zones),
        _ZONE + "/argo/tiered_caching": ZoneSetting(guard, zones, "tiered_cache", "tiered_caching"),
        _ZONE + "/cache/tiered_cache_smart_topology_enable": SmartTieredCache(guard, zones),
        _ZONE + "/cache/regional_tiered_cache": ZoneSetting(
            guard, zones, "regional_tiered_cache", "tc_regional"
        ),
    }


def _token_routes(base: str, scope: TokenScope, guard: Guard, services: Services) -> Routes:
    tokens = services.tokens
    groups = {group.id: group for group in (*services.permission_groups, *NODE_GROUPS)}
    return {
        base: TokenList(scope, tokens, groups),
        base + "/verify": TokenVerify(guard, tokens),
        base + "/permission_groups": PermissionGroups(scope, services.permission_groups),
        base + "/{token_id:hex32}": TokenItem(scope, tokens, groups),
        base + "/{token_id:hex32}/value": TokenValue(scope, tokens),
    }

"""The table of Cloudflare's routes: their permissions and handlers."""

from typing import NamedTuple

from originmap.api import errors
from originmap.api.cloudflare.accounts import AccountRoutes
from originmap.api.cloudflare.audit_logs import AuditLogRoutes
from originmap.api.cloudflare.mappings import MappingRoutes
from originmap.api.cloudflare.supported_regions import SupportedRegionRoutes
from originmap.api.cloudflare.tokens import TokenRoutes
from originmap.api.cloudflare.v1 import V1Routes, deprecation
from originmap.api.cloudflare.zone_settings import ZoneSettingRoutes
from originmap.api.cloudflare.zones import ZoneRoutes
from originmap.api.guard import Admit, Guard
from originmap.api.http.router import Route
from originmap.api.mapping.batch import BatchRoutes
from originmap.domain.access import permissions as needs
from originmap.domain.access.permissions import PermissionGroup
from originmap.service.access.directory import Directory
from originmap.service.access.tokens import Tokens
from originmap.service.detection.detector import Detector
from originmap.service.history.audit import Audit
from originmap.service.mapping.mappings import Mappings
from originmap.service.mapping.regions import Regions
from originmap.service.mapping.zones import Zones

BASE = "/client/v4"
_ZONE = BASE + "/zones/{zone_id:hex32}"
_ACCOUNT = BASE + "/accounts/{account_id:hex32}"
_REGIONS = _ZONE + "/origin/cloud_regions"
_V1_REGIONS = _ZONE + "/cache/origin_cloud_regions"


class Services(NamedTuple):
    """The services that the routes use."""

    detector: Detector
    directory: Directory
    mappings: Mappings
    regions: Regions
    zones: Zones
    tokens: Tokens
    audit: Audit
    permission_groups: tuple[PermissionGroup, ...]


def routes(guard: Guard, services: Services, *, v1: bool) -> list[Route]:
    """All routes, with those of v1 if it is enabled."""
    read, write = guard.zone(needs.READ_MAPPINGS), guard.zone(needs.WRITE_MAPPINGS)
    mapping = MappingRoutes(services.mappings, services.detector)
    batch = BatchRoutes(services.mappings, services.detector)
    regions = SupportedRegionRoutes(services.directory, services.regions)
    return [
        Route("GET", _REGIONS, read, mapping.list_mappings),
        Route("PUT", _REGIONS + "/batch", write, batch.put_mappings),
        Route("DELETE", _REGIONS + "/batch", write, batch.delete_mappings),
        Route("GET", _REGIONS + "/supported_regions", read, regions.list_regions),
        Route("GET", _REGIONS + "/{origin_ip}", read, mapping.get_mapping),
        Route("PUT", _REGIONS + "/{origin_ip}", write, mapping.put_mapping),
        Route("DELETE", _REGIONS + "/{origin_ip}", write, mapping.delete_mapping),
        *(_v1_routes(read, write, V1Routes(services.mappings), regions) if v1 else ()),
        *_setting_routes(read, write, services),
        *_zone_routes(guard, services),
        *_account_routes(guard, services),
        *_token_routes(BASE + "/user/tokens", guard, services),
        *_token_routes(_ACCOUNT + "/tokens", guard, services),
    ]


def _v1_routes(
    read: Admit, write: Admit, v1: V1Routes, regions: SupportedRegionRoutes
) -> list[Route]:
    batch, item = _V1_REGIONS + "/batch", _V1_REGIONS + "/{origin_ip}"
    table = [
        Route("GET", _V1_REGIONS, read, v1.list_mappings),
        Route("POST", _V1_REGIONS, write, v1.create_mapping),
        Route("PATCH", _V1_REGIONS, write, v1.put_mapping),
        Route("PATCH", batch, write, v1.put_mappings),
        Route("DELETE", batch, write, v1.delete_mappings),
        Route("GET", _V1_REGIONS + "/supported_regions", read, regions.list_regions),
        Route("GET", item, read, v1.get_mapping),
        Route("DELETE", item, write, v1.delete_mapping, errors.V1_DELETE),
    ]
    return [route._replace(headers=deprecation) for route in table]


def _setting_routes(read: Admit, write: Admit, services: Services) -> list[Route]:
    settings = (services.directory, services.zones)
    tiered = ZoneSettingRoutes(*settings, "tiered_cache", "tiered_caching")
    smart = ZoneSettingRoutes(*settings, "smart_tiered_cache", "tiered_cache_smart_topology_enable")
    regional = ZoneSettingRoutes(*settings, "regional_tiered_cache", "tc_regional")
    smart_path = _ZONE + "/cache/tiered_cache_smart_topology_enable"
    return [
        Route("GET", _ZONE + "/argo/tiered_caching", read, tiered.get_setting),
        Route("PATCH", _ZONE + "/argo/tiered_caching", write, tiered.set_setting),
        Route("GET", smart_path, read, smart.get_setting),
        Route("POST", smart_path, write, smart.set_setting),
        Route("PATCH", smart_path, write, smart.set_setting),
        Route("DELETE", smart_path, write, smart.delete_setting),
        Route("GET", _ZONE + "/cache/regional_tiered_cache", read, regional.get_setting),
        Route("PATCH", _ZONE + "/cache/regional_tiered_cache", write, regional.set_setting),
    ]


def _zone_routes(guard: Guard, services: Services) -> list[Route]:
    zones = ZoneRoutes(guard.access, services.directory, services.zones)
    read, write = guard.zone_itself(needs.READ_ZONE), guard.zone_itself(needs.WRITE_ZONE)
    table = [
        Route("GET", BASE + "/zones", guard.anyone, zones.list_zones),
        Route("POST", BASE + "/zones", guard.anyone, zones.create_zone),
        Route("GET", _ZONE, read, zones.get_zone),
        Route("PATCH", _ZONE, write, zones.change_zone),
        Route("DELETE", _ZONE, write, zones.delete_zone),
    ]
    return _core(table)


def _account_routes(guard: Guard, services: Services) -> list[Route]:
    accounts = AccountRoutes(guard.access, services.directory)
    audit = AuditLogRoutes(guard.access, services.audit)
    read = guard.account(needs.READ_ACCOUNT)
    table = [
        Route("GET", BASE + "/accounts", guard.anyone, accounts.list_accounts),
        Route("POST", BASE + "/accounts", guard.anyone, accounts.create_account),
        Route("GET", _ACCOUNT, guard.anyone, accounts.get_account),
        Route("GET", _ACCOUNT + "/audit_logs", read, audit.list_entries),
        Route("GET", BASE + "/user", guard.anyone, accounts.get_user),
    ]
    return _core(table)


def _token_routes(base: str, guard: Guard, services: Services) -> list[Route]:
    if base.startswith(_ACCOUNT):
        read = guard.account(needs.READ_ACCOUNT_TOKENS)
        write = guard.account(needs.WRITE_ACCOUNT_TOKENS)
    else:
        read, write = guard.user(needs.READ_USER_TOKENS), guard.user(needs.WRITE_USER_TOKENS)
    tokens = TokenRoutes(services.tokens, services.permission_groups)
    item = base + "/{token_id:hex32}"
    table = [
        Route("GET", base, read, tokens.list_tokens),
        Route("POST", base, write, tokens.create_token),
        Route("GET", base + "/permission_groups", read, tokens.list_permission_groups),
        Route("GET", item, read, tokens.get_token),
        Route("PUT", item, write, tokens.change_token),
        Route("DELETE", item, write, tokens.revoke_token),
        Route("PUT", item + "/value", write, tokens.roll_token),
    ]
    verify = Route("GET", base + "/verify", guard.any_status, tokens.verify_token, errors.VERIFY)
    return [*_core(table), verify]


def _core(table: list[Route]) -> list[Route]:
    """The routes with the error codes of Cloudflare's core API."""
    return [route._replace(refusals=errors.CORE) for route in table]

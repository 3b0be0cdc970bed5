"""The JSON of zones, with every member that the official clients' models require.

Members that only Cloudflare's network has (plan, DNS host) get a value that means "none"; the name
servers are generated names (`domain.zone.delegation`).
"""

from originmap.api.timestamps import timestamp
from originmap.domain.zone.delegation import name_servers, verification_key
from originmap.domain.zone.filter import ACTIVE
from originmap.domain.zone.zone import Account, Zone

_META = {
    "cdn_only": False, "custom_certificate_quota": 0, "dns_only": False, "foundation_dns": False,
    "page_rule_quota": 0, "phishing_detected": False, "step": 4,
}  # fmt: skip
_PLAN = {
    "id": "0feeeeeeeeeeeeeeeeeeeeeeeeeeeeee", "name": "Free Website", "price": 0,
    "currency": "USD", "frequency": "", "is_subscribed": False, "can_subscribe": False,
    "legacy_id": "free", "legacy_discount": False, "externally_managed": False,
}  # fmt: skip


def zone_json(zone: Zone, account: Account, status: str = ACTIVE) -> dict[str, object]:
    """Encode a zone."""
    active = status == ACTIVE
    vanity, key = zone.vanity_name_servers, verification_key(zone)
    return {
        "account": {"id": account.id, "name": account.name},
        "activated_on": timestamp(zone.created_on) if active else None,
        "created_on": timestamp(zone.created_on),
        "development_mode": 0,
        "id": zone.id,
        "meta": _META,
        "modified_on": timestamp(zone.modified_on),
        "name": zone.shown_name,
        "name_servers": name_servers(zone),
        "original_dnshost": None,
        "original_name_servers": None,
        "original_registrar": None,
        "owner": {"id": account.id, "name": account.name, "type": "organization"},
        "paused": zone.paused,
        "permissions": [],
        "plan": _PLAN,
        "status": status,
        "tenant": {"id": None, "name": None},
        "tenant_unit": {"id": None},
        "type": str(zone.type),
        # Clients treat an empty list and a missing member differently.
        **({} if vanity is None else {"vanity_name_servers": vanity}),
        **({} if key is None else {"verification_key": key}),
    }

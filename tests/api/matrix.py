"""The authorisation matrix: the response of every route to every credential, as one table.

`TABLE` is for readers; the rest of the module converts it to rows and creates its credentials. HEAD
is handled like GET and has no lines. `tests/xds/test_rights.py` has the statuses of these
credentials over gRPC.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from originmap import bootstrap
from originmap.domain.access.permissions import (
    ACCOUNT_PREFIX,
    ALL_ACCOUNTS,
    ALL_ZONES,
    GROUP_IDS,
    USER_PREFIX,
    ZONE_PREFIX,
    Group,
    Policy,
    group_id,
)
from originmap.domain.access.token import Owner, RequestIP, Token
from originmap.domain.history.record import Kind, Value
from originmap.domain.hook.hook import DeadLetter, DeadLetters, Hook
from originmap.domain.mapping.mapping import put
from originmap.domain.zone.rules import add_missing
from originmap.domain.zone.zone import Account, Zone
from originmap.service import initial_data
from tests.builders import CAUSE, US_EAST, ip, policy, token

# A cell is the response to a request: ok is 200; 401 and 403 are that status with code 10000; a
# longer number is a code whose status is in STATUSES. The columns are CREDENTIALS, in that order.
TABLE = """
        no credential that works                       on another        the whole      replicate
        none bad  unknown expired early disabled away read zone account deny all owned key  edge
/zones/{zone_id}/origin/cloud_regions
 GET    9106 6003 401     401     401   401      9109 ok   403  403     403  ok  ok    ok   403  403
/zones/{zone_id}/origin/cloud_regions/batch
 PUT    9106 6003 401     401     401   401      9109 403  403  403     403  ok  ok    ok   403  403
 DELETE 9106 6003 401     401     401   401      9109 403  403  403     403  ok  ok    ok   403  403
/zones/{zone_id}/origin/cloud_regions/supported_regions
 GET    9106 6003 401     401     401   401      9109 ok   403  403     403  ok  ok    ok   403  403
/zones/{zone_id}/origin/cloud_regions/{origin_ip}
 GET    9106 6003 401     401     401   401      9109 ok   403  403     403  ok  ok    ok   403  403
 PUT    9106 6003 401     401     401   401      9109 403  403  403     403  ok  ok    ok   403  403
 DELETE 9106 6003 401     401     401   401      9109 403  403  403     403  ok  ok    ok   403  403

/zones/{zone_id}/cache/origin_cloud_regions
 GET    9106 6003 401     401     401   401      9109 ok   403  403     403  ok  ok    ok   403  403
 POST   9106 6003 401     401     401   401      9109 403  403  403     403  ok  ok    ok   403  403
 PATCH  9106 6003 401     401     401   401      9109 403  403  403     403  ok  ok    ok   403  403
/zones/{zone_id}/cache/origin_cloud_regions/batch
 PATCH  9106 6003 401     401     401   401      9109 403  403  403     403  ok  ok    ok   403  403
 DELETE 9106 6003 401     401     401   401      9109 403  403  403     403  ok  ok    ok   403  403
/zones/{zone_id}/cache/origin_cloud_regions/supported_regions
 GET    9106 6003 401     401     401   401      9109 ok   403  403     403  ok  ok    ok   403  403
/zones/{zone_id}/cache/origin_cloud_regions/{origin_ip}
 GET    9106 6003 401     401     401   401      9109 ok   403  403     403  ok  ok    ok   403  403
 DELETE 9106 6003 401     401     401   401      9109 403  403  403     403  ok  ok    ok   403  403

/zones/{zone_id}/argo/tiered_caching
 GET    9106 6003 401     401     401   401      9109 ok   403  403     403  ok  ok    ok   403  403
 PATCH  9106 6003 401     401     401   401      9109 403  403  403     403  ok  ok    ok   403  403
/zones/{zone_id}/cache/tiered_cache_smart_topology_enable
 GET    9106 6003 401     401     401   401      9109 ok   403  403     403  ok  ok    ok   403  403
 POST   9106 6003 401     401     401   401      9109 403  403  403     403  ok  ok    ok   403  403
 PATCH  9106 6003 401     401     401   401      9109 403  403  403     403  ok  ok    ok   403  403
 DELETE 9106 6003 401     401     401   401      9109 403  403  403     403  ok  ok    ok   403  403
/zones/{zone_id}/cache/regional_tiered_cache
 GET    9106 6003 401     401     401   401      9109 ok   403  403     403  ok  ok    ok   403  403
 PATCH  9106 6003 401     401     401   401      9109 403  403  403     403  ok  ok    ok   403  403

/zones
 GET    9106 6003 9109    401     401   401      9109 ok   ok   ok      ok   ok  ok    ok   403  403
 POST   9106 6003 9109    401     401   401      9109 403  403  403     403  ok  ok    ok   403  403
/zones/{zone_id}
 GET    9106 6003 9109    401     401   401      9109 ok   9109 9109    9109 ok  ok    ok   403  403
 PATCH  9106 6003 9109    401     401   401      9109 403  9109 9109    9109 ok  ok    ok   403  403
 DELETE 9106 6003 9109    401     401   401      9109 403  9109 9109    9109 ok  ok    ok   403  403

/accounts
 GET    9106 6003 9109    401     401   401      9109 ok   ok   ok      ok   ok  ok    ok   403  403
 POST   9106 6003 9109    401     401   401      9109 1002 1002 1002    1002 1002 1002 1002 403  403
/accounts/{account_id}
 GET    9106 6003 9109    401     401   401      9109 ok   ok   9109    9109 ok  ok    ok   403  403
/accounts/{account_id}/audit_logs
 GET    9106 6003 9109    401     401   401      9109 ok   403  9109    9109 ok  ok    ok   403  403
/accounts/{account_id}/tokens
 GET    9106 6003 9109    401     401   401      9109 ok   403  9109    9109 ok  ok    ok   403  403
 POST   9106 6003 9109    401     401   401      9109 403  403  9109    9109 ok  ok    ok   403  403
/accounts/{account_id}/tokens/verify
 GET    9106 6003 1000    1000    1000  1000     9109 1000 1000 1000    1000 1000 ok  1000 1000 1000
/accounts/{account_id}/tokens/permission_groups
 GET    9106 6003 9109    401     401   401      9109 ok   403  9109    9109 ok  ok    ok   403  403
/accounts/{account_id}/tokens/{token_id}
 GET    9106 6003 9109    401     401   401      9109 ok   403  9109    9109 ok  ok    ok   403  403
 PUT    9106 6003 9109    401     401   401      9109 403  403  9109    9109 ok  ok    ok   403  403
 DELETE 9106 6003 9109    401     401   401      9109 403  403  9109    9109 ok  ok    ok   403  403
/accounts/{account_id}/tokens/{token_id}/value
 PUT    9106 6003 9109    401     401   401      9109 403  403  9109    9109 ok  ok    ok   403  403

/user
 GET    9106 6003 9109    401     401   401      9109 ok   403  403     403  ok  403   ok   403  403
/user/tokens
 GET    9106 6003 9109    401     401   401      9109 ok   403  403     403  ok  403   ok   403  403
 POST   9106 6003 9109    401     401   401      9109 403  403  403     403  ok  403   ok   403  403
/user/tokens/verify
 GET    9106 6003 1000    ok      ok    ok       9109 ok   ok   ok      ok   ok  1000  1000 ok   ok
/user/tokens/permission_groups
 GET    9106 6003 9109    401     401   401      9109 ok   403  403     403  ok  403   ok   403  403
/user/tokens/{token_id}
 GET    9106 6003 9109    401     401   401      9109 ok   403  403     403  ok  403   ok   403  403
 PUT    9106 6003 9109    401     401   401      9109 403  403  403     403  ok  403   ok   403  403
 DELETE 9106 6003 9109    401     401   401      9109 403  403  403     403  ok  403   ok   403  403
/user/tokens/{token_id}/value
 PUT    9106 6003 9109    401     401   401      9109 403  403  403     403  ok  403   ok   403  403

//originmap/v1/topology
 GET    9106 6003 401     401     401   401      9109 ok   ok   ok      ok   ok  ok    ok   ok   ok
 PUT    9106 6003 401     401     401   401      9109 403  403  403     403  ok  403   ok   403  403
 PATCH  9106 6003 401     401     401   401      9109 403  403  403     403  ok  403   ok   403  403
//originmap/v1/latencies
 GET    9106 6003 401     401     401   401      9109 ok   ok   ok      ok   ok  ok    ok   ok   ok
 PUT    9106 6003 401     401     401   401      9109 403  403  403     403  ok  403   ok   403  403
//originmap/v1/catalogue
 GET    9106 6003 401     401     401   401      9109 ok   ok   ok      ok   ok  ok    ok   ok   ok
 PUT    9106 6003 401     401     401   401      9109 403  403  403     403  ok  403   ok   403  403
 PATCH  9106 6003 401     401     401   401      9109 403  403  403     403  ok  403   ok   403  403
//originmap/v1/regions
 GET    9106 6003 401     401     401   401      9109 ok   ok   ok      ok   ok  ok    ok   403  403
//originmap/v1/zones/{zone}/resolve
 GET    9106 6003 401     401     401   401      9109 ok   403  403     403  ok  ok    ok   ok   ok
//originmap/v1/zones/{zone}/pools
 GET    9106 6003 401     401     401   401      9109 ok   403  403     403  ok  ok    ok   403  403
 PUT    9106 6003 401     401     401   401      9109 403  403  403     403  ok  ok    ok   403  403
//originmap/v1/zones/{zone}/history
 GET    9106 6003 401     401     401   401      9109 ok   403  403     403  ok  ok    ok   403  403
//originmap/v1/zones/{zone}/mappings
 GET    9106 6003 401     401     401   401      9109 ok   403  403     403  ok  ok    ok   403  403
//originmap/v1/zones/{zone}/mappings/batch
 PUT    9106 6003 401     401     401   401      9109 403  403  403     403  ok  ok    ok   403  403
 DELETE 9106 6003 401     401     401   401      9109 403  403  403     403  ok  ok    ok   403  403
//originmap/v1/zones/{zone}/rollback
 POST   9106 6003 401     401     401   401      9109 403  403  403     403  ok  ok    ok   403  403
//originmap/v1/changes
 GET    9106 6003 401     401     401   401      9109 ok   ok   ok      ok   ok  ok    ok   ok   ok
//originmap/v1/snapshot
 GET    9106 6003 401     401     401   401      9109 ok   ok   ok      ok   ok  ok    ok   ok   ok
//originmap/v1/digest
 GET    9106 6003 401     401     401   401      9109 403  403  403     403  ok  403   ok   ok   ok
//originmap/v1/followers
 GET    9106 6003 401     401     401   401      9109 403  403  403     403  ok  403   ok   403  403
//originmap/v1/followers/{name}
 PUT    9106 6003 401     401     401   401      9109 ok   ok   ok      ok   ok  ok    ok   ok   ok
//originmap/v1/export/{format}
 GET    9106 6003 401     401     401   401      9109 ok   ok   ok      ok   ok  ok    ok   ok   ok
//originmap/v1/export/{format}/names
 GET    9106 6003 401     401     401   401      9109 ok   ok   ok      ok   ok  ok    ok   ok   ok
//originmap/v1/export/{format}/family
 GET    9106 6003 401     401     401   401      9109 ok   ok   ok      ok   ok  ok    ok   ok   ok
//originmap/v1/tokens
 GET    9106 6003 401     401     401   401      9109 403  403  403     403  ok  403   ok   403  403
 POST   9106 6003 401     401     401   401      9109 403  403  403     403  ok  403   ok   403  403
//originmap/v1/tokens/{token}
 DELETE 9106 6003 401     401     401   401      9109 403  403  403     403  ok  403   ok   403  403
//originmap/v1/hooks
 GET    9106 6003 401     401     401   401      9109 403  403  403     403  ok  403   ok   403  403
 POST   9106 6003 401     401     401   401      9109 403  403  403     403  ok  403   ok   403  403
//originmap/v1/hooks/{hook}
 DELETE 9106 6003 401     401     401   401      9109 403  403  403     403  ok  403   ok   403  403
//originmap/v1/hooks/{hook}/test
 POST   9106 6003 401     401     401   401      9109 403  403  403     403  ok  403   ok   403  403
//originmap/v1/hooks/{hook}/dead
 GET    9106 6003 401     401     401   401      9109 403  403  403     403  ok  403   ok   403  403
 POST   9106 6003 401     401     401   401      9109 403  403  403     403  ok  403   ok   403  403
 DELETE 9106 6003 401     401     401   401      9109 403  403  403     403  ok  403   ok   403  403
//originmap/v1/reports
 GET    9106 6003 401     401     401   401      9109 403  403  403     403  ok  403   ok   403  403
 POST   9106 6003 401     401     401   401      9109 403  403  403     403  ok  403   ok   403  403
//originmap/v1/audit
 GET    9106 6003 401     401     401   401      9109 403  403  403     403  ok  403   ok   403  403
//originmap/v1/promote
 POST   9106 6003 401     401     401   401      9109 403  403  403     403  ok  403   ok   403  403
//originmap/v1/rollout
 GET    9106 6003 401     401     401   401      9109 403  403  403     403  ok  403   ok   ok   ok
 POST   9106 6003 401     401     401   401      9109 403  403  403     403  ok  403   ok   403  403
//v3/discovery:clusters
 POST   9106 6003 401     401     401   401      9109 ok   ok   ok      ok   ok  ok    ok   ok   ok
//v3/discovery:endpoints
 POST   9106 6003 401     401     401   401      9109 ok   ok   ok      ok   ok  ok    ok   ok   ok
//v3/discovery:routes
 POST   9106 6003 401     401     401   401      9109 ok   ok   ok      ok   ok  ok    ok   ok   ok
//originmap/v1/whatif
 POST   9106 6003 401     401     401   401      9109 ok   ok   ok      ok   ok  ok    ok   403  403
//originmap/v1/detect
 POST   9106 6003 401     401     401   401      9109 ok   ok   ok      ok   ok  ok    ok   403  403

//healthz
 GET    ok   ok   ok      ok      ok    ok       ok   ok   ok   ok      ok   ok  ok    ok   ok   ok
//readyz
 GET    ok   ok   ok      ok      ok    ok       ok   ok   ok   ok      ok   ok  ok    ok   ok   ok
//metrics
 GET    ok   ok   ok      ok      ok    ok       ok   ok   ok   ok      ok   ok  ok    ok   ok   ok
//originmap/v1/openapi.json
 GET    ok   ok   ok      ok      ok    ok       ok   ok   ok   ok      ok   ok  ok    ok   ok   ok
"""

CREDENTIALS = (
    "none", "bad", "unknown", "expired", "early", "disabled", "away", "read", "zone", "account",
    "deny", "all", "owned", "key", "edge", "replicate",
)  # fmt: skip
STATUSES = {"1002": 403, "9106": 400, "6003": 400, "1000": 401, "9109": 403}


class Row(NamedTuple):
    """The responses of a route's method: pairs of status and code (None for success)."""

    template: str  # in the form of App.allowed
    method: str
    answers: dict[str, tuple[int, int | None]]

    @property
    def only_asks(self) -> bool:
        """Whether the method changes nothing even if it succeeds."""
        only_ask = ("/whatif", "/detect", "/rollback", "/followers/{name}", "/promote", "/test")
        if self.template.startswith("/v3/discovery:"):
            return True
        return self.method == "GET" or self.template.endswith(only_ask)


def rows() -> Iterator[Row]:
    """The table, line by line."""
    template = ""
    for line in TABLE.splitlines():
        words = line.split()
        if line.startswith("/"):
            template = _template(words[0])
        elif template and words:
            answers = dict(zip(CREDENTIALS, map(_answer, words[1:]), strict=True))
            yield Row(template, words[0], answers)


def _template(shown: str) -> str:
    """A route in the form of App; // marks a path that is not below Cloudflare's base."""
    full = shown[1:] if shown.startswith("//") else f"/client/v4{shown}"
    return full.replace("_id}", "_id:hex32}")


def _answer(cell: str) -> tuple[int, int | None]:
    if cell == "ok":
        return 200, None
    return (int(cell), 10000) if len(cell) == 3 else (STATUSES[cell], int(cell))


ACCOUNT = ZONE = initial_data.DEV_ID
OTHER_ACCOUNT, OTHER_ZONE, FOREIGN_ZONE = "a" * 32, "b" * 32, "c" * 32
USER_TOKEN, ACCOUNT_TOKEN = "d" * 32, "e" * 32
HOOK = Hook("ops", "https://192.0.2.10/", ("rollout",), "whsec_" + "c2VjcmV0" * 4, 0, 1)
"""A hook to an address that is not public, so that a ping is not sent."""
ABSENT = "f" * 32
"""An ID without a record."""

_MY_ACCOUNT = {ACCOUNT_PREFIX + ACCOUNT: "*"}
_READS = [id_ for id_, group in GROUP_IDS.items() if "READ" in (group.name or "")]
_ALL = [ALL_ACCOUNTS, USER_PREFIX + initial_data.DEV_ID]
_EVERYTHING = policy(True, _ALL, GROUP_IDS)


def headers_of(credential: str) -> dict[str, str]:
    """The headers of a request with this credential."""
    special = {
        "none": {},
        "bad": {"Authorization": "Bearer not a token"},
        "key": {"X-Auth-Email": initial_data.DEV_EMAIL, "X-Auth-Key": initial_data.DEV_KEY},
    }
    return special.get(credential, {"Authorization": f"Bearer secret-{credential}"})


def _limited(name: str, **limits: Any) -> Token:
    whole = token(name, _EVERYTHING, owner=Owner("user", initial_data.DEV_ID))
    return Token(**{n: getattr(whole, n) for n in whole.__slots__} | limits)


def _tokens() -> list[Token]:
    user, account = Owner("user", initial_data.DEV_ID), Owner("account", ACCOUNT)

    def of_user(name: str, *policies: Policy) -> Token:
        return token(name, *policies, owner=user)

    other_zone = policy(True, [ZONE_PREFIX + OTHER_ZONE], GROUP_IDS)
    other_account = policy(True, [ACCOUNT_PREFIX + OTHER_ACCOUNT], GROUP_IDS)
    return [
        _limited("expired", expires_on=2),
        _limited("early", not_before=1 << 51),
        _limited("disabled", disabled=True),
        _limited("away", request_ip=RequestIP(("198.51.100.0/24",))),
        of_user("read", policy(True, _ALL, _READS)),
        of_user("zone", other_zone),
        of_user("account", other_account),
        of_user("deny", _EVERYTHING, policy(False, _ALL, GROUP_IDS)),
        of_user("all", _EVERYTHING),
        of_user("edge", policy(True, [ALL_ZONES], [group_id(Group.EDGE)])),
        of_user("replicate", policy(True, [ALL_ACCOUNTS], [group_id(Group.REPLICATE)])),
        of_user(USER_TOKEN, other_zone),
        token("owned", policy(True, _MY_ACCOUNT, GROUP_IDS), owner=account),
        token(ACCOUNT_TOKEN, policy(True, _MY_ACCOUNT, _READS), owner=account),
    ]


async def furnish(opened: bootstrap.Opened) -> None:
    """Two accounts with three zones, a mapping, and a token for each credential."""
    values: list[tuple[Kind, Value]] = [
        (Kind.ACCOUNT, Account(OTHER_ACCOUNT, "Other", 1 << 51)),
        (Kind.ZONE, Zone(OTHER_ZONE, "example.org", ACCOUNT, 1, 1)),
        (Kind.ZONE, Zone(FOREIGN_ZONE, "example.net", OTHER_ACCOUNT, 1, 1)),
        *((Kind.TOKEN, made) for made in _tokens()),
        (Kind.HOOK, HOOK),
        (Kind.DEAD_LETTERS, DeadLetters(HOOK.name, (DeadLetter(1, 1, "status 500"),))),
    ]
    await opened.store.write_records(add_missing(values), CAUSE)
    origin = ip("192.0.2.1")
    await opened.store.write(ZONE, (origin,), put(origin, US_EAST), CAUSE)


def path_of(template: str, **ids: str) -> str:
    """A route's path with the ids of existing records, or with the given ones."""
    in_account = "{account_id:hex32}" in template
    ids = {
        "zone_id": ZONE,
        "account_id": ACCOUNT,
        "token_id": ACCOUNT_TOKEN if in_account else USER_TOKEN,
    } | ids
    for name, id_ in ids.items():
        template = template.replace(f"{{{name}:hex32}}", id_)
    resolve = f"{ids['zone_id']}/resolve?ip=192.0.2.1"
    template = template.replace("{origin_ip}", "192.0.2.1").replace("{format}", "csv")
    template = template.replace("{zone}/resolve", resolve).replace("{name}", "edge-1")
    template = template.replace("{token}", USER_TOKEN).replace("{hook}", HOOK.name)
    return template.replace("{zone}", ids["zone_id"])


def body_of(template: str, method: str) -> Any:
    """A valid body; None if no body is needed."""
    place = {"vendor": "aws", "region": "us-west-2"}
    tail = template.rpartition("/")[2]
    match tail, method:
        case "batch", "DELETE":
            return ["192.0.2.1"]
        case "batch", "PUT" | "PATCH":
            return [{"ip": "192.0.2.1", "origin_ip": "192.0.2.1", **place}]
        case "{origin_ip}", "PUT":
            return {"origin_ip": "192.0.2.1", **place}
        case "origin_cloud_regions", "POST" | "PATCH":
            return {"ip": "192.0.2.9", **place}
        case "zones", "POST":
            return {"name": "new.example", "account": {"id": ACCOUNT}}
        case "{zone_id:hex32}", "PATCH":
            return {"paused": True}
        case "tokens", "POST" if template.startswith("/originmap"):
            return {"name": "made", "access": "read"}
        case "hooks", "POST":
            return {"url": HOOK.url, "on": ["mapping"], "secret": HOOK.secret}
        case "dead", "POST":
            return {}
        case "reports", "POST":
            return {"kind": "drift", "subjects": [{"name": "example.com", "count": 1}]}
        case "promote" | "test", "POST":
            return None
        case "tokens" | "{token_id:hex32}", "POST" | "PUT":
            group = [{"id": _READS[0]}]
            allow = {"effect": "allow", "resources": _MY_ACCOUNT, "permission_groups": group}
            return {"name": "made", "policies": [allow]}
        case "topology", "PUT":
            colo = {"code": "IAD", "city": "Ashburn", "country": "US"}
            return {"colos": [{**colo, "latitude": 39.0, "longitude": -77.5}]}
        case "topology", "PATCH":
            return {"states": {"IAD": "draining"}}
        case "pools", "PUT":
            return {"pools": [{"name": "web", "members": ["192.0.2.1"]}]}
        case "latencies", "PUT":
            return []
        case "catalogue", "PUT":
            return {"regions": [{**place, "region": "own-1", "latitude": 1, "longitude": 1}]}
        case "catalogue", "PATCH":
            return {"add": [{**place, "region": "own-1", "latitude": 1, "longitude": 1}]}
        case "rollback", "POST":
            return {"to": 1, "dry_run": True}
        case "{name}", "PUT":
            return {"revision": 1}
        case "rollout", "POST":
            return {"step": "kill", "base": 1}
        case "discovery:clusters" | "discovery:endpoints" | "discovery:routes", "POST":
            return {"node": {"metadata": {"originmap": {"upstream": ["{colo}.example:80"]}}}}
        case "whatif", "POST":
            return {"states": {"IAD": "draining"}}
        case "detect", "POST":
            return {"addresses": ["192.0.2.1"]}
        case _, "POST" | "PATCH":
            return {"value": "off"}
    return None

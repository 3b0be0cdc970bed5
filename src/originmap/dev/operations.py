"""The operations of the API by name, with what the OpenAPI document says about each.

A test names operations: `put_mapping` instead of a method and a path. The document lists the query
arguments and body members that an operation uses, and every error that it can return.
"""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from originmap.api.http.response import Headers
from originmap.api.native.openapi import document
from originmap.domain.errors import InvalidQuery

_REGIONS = "origin-cloud-regions"
_V2 = {
    "list": "list_mappings",
    "get": "get_mapping",
    "upsert": "put_mapping",
    "delete": "delete_mapping",
    "batch-upsert": "put_mappings",
    "batch-delete": "delete_mappings",
    "supported-regions": "list_regions",
}
_NAMES = {
    **{f"{_REGIONS}-v2-{suffix}": name for suffix, name in _V2.items()},
    **{f"{_REGIONS}-{suffix}": f"v1_{name}" for suffix, name in _V2.items()},
    f"{_REGIONS}-create": "v1_create_mapping",
    "tiered-caching-get-tiered-caching-setting": "get_tiered_cache",
    "tiered-caching-patch-tiered-caching-setting": "set_tiered_cache",
    "smart-tiered-cache-get-smart-tiered-cache-setting": "get_smart_tiered_cache",
    "smart-tiered-cache-post-smart-tiered-cache-setting": "create_smart_tiered_cache",
    "smart-tiered-cache-patch-smart-tiered-cache-setting": "set_smart_tiered_cache",
    "smart-tiered-cache-delete-smart-tiered-cache-setting": "delete_smart_tiered_cache",
    "zone-cache-settings-get-regional-tiered-cache-setting": "get_regional_tiered_cache",
    "zone-cache-settings-change-regional-tiered-cache-setting": "set_regional_tiered_cache",
    "zones-get": "list_zones",
    "zones-post": "create_zone",
    "zones-0-get": "get_zone",
    "zones-0-patch": "change_zone",
    "zones-0-delete": "delete_zone",
    "account-list-accounts": "list_accounts",
    "account-creation": "create_account",
    "accounts-account-details": "get_account",
    "audit-logs-get-account-audit-logs": "list_audit_logs",
    "user-user-details": "get_user",
    "permission-groups-list-permission-groups": "list_permission_groups",
    "account-api-tokens-list-permission-groups": "list_account_permission_groups",
    **{
        f"{id_}-{suffix}": name
        for id_, owner in (("user-api-tokens", ""), ("account-api-tokens", "account_"))
        for suffix, name in (
            ("list-tokens", f"list_{owner}tokens"),
            ("create-token", f"create_{owner}token"),
            ("verify-token", f"verify_{owner}token"),
            ("token-details", f"get_{owner}token"),
            ("update-token", f"change_{owner}token"),
            ("delete-token", f"delete_{owner}token"),
            ("roll-token", f"roll_{owner}token"),
        )
    },
}
"""The names of Cloudflare's operations, by their published IDs. Ours are named by their IDs."""

_RETRY_AFTER = {429: "1", 503: "1"}
_NOT_OF_CLOUDFLARE = {"replica", "replica_empty", "not_http", "no_route"}
"""Errors of a replica, and of requests that reach no operation."""


class DocumentedError(NamedTuple):
    """An error response in the document. `name` is that of its example."""

    name: str
    status: int
    code: int
    message: str
    body: bytes

    @property
    def headers(self) -> Headers:
        """The headers that the server sends with the error."""
        seconds = _RETRY_AFTER.get(self.status)
        return () if seconds is None else (("retry-after", seconds),)


@dataclass(frozen=True, eq=False)
class Operation:
    """An operation. `fields` are the members of its JSON body, or of each item of a batch; None if
    it takes no object."""

    name: str
    id: str
    method: str
    path: str
    arguments: frozenset[str]
    fields: frozenset[str] | None
    _errors: Callable[[], Iterable[DocumentedError]]

    @functools.cached_property
    def errors(self) -> tuple[DocumentedError, ...]:
        """The errors in the document, read on first use because a server starts sooner so."""
        return tuple(self._errors())

    @property
    def deprecated(self) -> bool:
        """Whether Cloudflare has deprecated the operation."""
        return self.name.startswith("v1_")

    @property
    def of_cloudflare(self) -> bool:
        """Whether it is an operation of Cloudflare's API."""
        return self.path.startswith("/client/v4/")


class Operations:
    """All operations."""

    def __init__(self, described: Mapping[str, Any]) -> None:
        self._described = described
        self._by_route = {(o.method, o.path): o for o in self._read()}
        self._by_name = {o.name: o for o in self._by_route.values()}

    def at(self, method: str, template: str) -> Operation | None:
        """The operation of a route; HEAD is GET."""
        path = template.replace(":hex32}", "}")
        return self._by_route.get(("GET" if method == "HEAD" else method, path))

    def named(self, name: str, *, ours: bool = False) -> Operation:
        """The operation with a name, or with a published ID; with `ours` also one of our own API.
        Raises InvalidQuery."""
        found = self._by_name.get(_NAMES.get(name, name))
        if found is None or not (ours or found.of_cloudflare):
            from difflib import get_close_matches  # a server starts sooner without it

            names = [o.name for o in self.of_cloudflare()]
            close = get_close_matches(name, names)
            meant = f"; did you mean {' or '.join(close)}?" if close else ""
            raise InvalidQuery(f"unknown operation {name!r}{meant} (known: {', '.join(names)})")
        return found

    def of_cloudflare(self) -> list[Operation]:
        """The operations of Cloudflare's API."""
        return [o for o in self._by_name.values() if o.of_cloudflare]

    def _read(self) -> Iterator[Operation]:
        for path, item in self._described["paths"].items():
            for method, described in item.items():
                if method != "parameters":
                    yield self._operation(method.upper(), path, described)

    def _operation(self, method: str, path: str, described: Mapping[str, Any]) -> Operation:
        id_ = described["operationId"]
        parameters = [self._at(p) for p in described.get("parameters", ())]
        return Operation(
            _NAMES.get(id_, id_.replace("-", "_")),
            id_,
            method,
            path,
            frozenset(p["name"] for p in parameters if p["in"] == "query"),
            self._fields(described.get("requestBody", {})),
            functools.partial(self._errors, described["responses"]),
        )

    def _fields(self, body: Mapping[str, Any]) -> frozenset[str] | None:
        schema = body.get("content", {}).get("application/json", {}).get("schema")
        schema = self._at(schema) if schema else {}
        if schema.get("type") == "array":
            schema = self._at(schema["items"])
        properties = schema.get("properties")
        return None if properties is None else frozenset(properties)

    def _errors(self, responses: Mapping[str, Any]) -> Iterator[DocumentedError]:
        for status, response in responses.items():
            content = self._at(response).get("content", {}).get("application/json", {})
            for name, example in content.get("examples", {}).items():
                value = self._at(example)["value"]
                if status >= "400" and name not in _NOT_OF_CLOUDFLARE:
                    first, body = value["errors"][0], msgspec.json.encode(value)
                    yield DocumentedError(name, int(status), first["code"], first["message"], body)

    def _at(self, value: Mapping[str, Any]) -> Mapping[str, Any]:
        """A component in place of a reference to it."""
        if "$ref" not in value:
            return value
        found = self._described
        for name in value["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        return found


@functools.cache
def all_operations() -> Operations:
    """The operations of the packaged document."""
    return Operations(msgspec.json.decode(document()))

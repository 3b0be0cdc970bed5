"""The audit log: /accounts/{account_id}/audit_logs.

Published operation audit-logs-get-account-audit-logs.
"""

import msgspec

from originmap.api import envelope
from originmap.api.http.request import Request
from originmap.api.http.response import Response
from originmap.api.query import page_of, text_of
from originmap.api.timestamps import parse_timestamp, timestamp
from originmap.domain.access.permissions import READ_ACCOUNT, READ_MAPPINGS
from originmap.domain.errors import InvalidTime
from originmap.service.access.access import Access
from originmap.service.history.audit import EVERYWHERE, Audit, AuditEntry, AuditQuery

MAX_PER_PAGE = 1000
_OPERATORS = ("cli", "setup")


class AuditLogRoutes:
    """GET /accounts/{account_id}/audit_logs"""

    def __init__(self, access: Access, audit: Audit) -> None:
        self._access = access
        self._audit = audit

    async def list_entries(self, request: Request) -> Response:
        """A page of the changes in the account, newest first."""
        account_id = request.arguments["account_id"]
        page, per_page = page_of(request, MAX_PER_PAGE, default=100)
        query = AuditQuery(
            since=_time(request, "since"),
            before=_time(request, "before"),
            action=text_of(request, "action.type"),
            actor_email=text_of(request, "actor.email"),
            actor_ip=text_of(request, "actor.ip"),
            zone_name=text_of(request, "zone.name"),
            id=text_of(request, "id"),
        )
        # Changes that concern all accounts need the permission to read all accounts.
        accounts = {account_id}
        if self._access.everywhere(request.caller, READ_ACCOUNT):
            accounts.add(EVERYWHERE)
        grants = request.caller.grants
        entries = await self._audit.entries(
            query, (page - 1) * per_page, per_page, accounts,
            lambda zone: grants.deny_zone(READ_MAPPINGS, zone.id, zone.account_id),
        )  # fmt: skip
        shown = list[dict[str, object]]()
        async for piece in self._audit.turns.pieces(entries):
            shown += [_entry_json(entry, account_id) for entry in piece]
        return Response(envelope.success(shown))


def _time(request: Request, name: str) -> int | None:
    """Read a time or a date, as published. Raises InvalidTime."""
    text = text_of(request, name)
    if text is None:
        return None
    try:
        return parse_timestamp(text if len(text) > len("2026-03-01") else f"{text}T00:00:00Z")
    except ValueError:
        raise InvalidTime(name) from None


def _entry_json(entry: AuditEntry, account_id: str) -> dict[str, object]:
    operator = entry.actor_id in _OPERATORS
    return {
        "action": {"result": True, "type": entry.action},
        "actor": {
            "email": entry.actor_email,
            "id": entry.actor_id,
            "ip": entry.actor_ip,
            "type": "admin" if operator else "user",
        },
        "id": entry.id,
        "interface": "CLI" if operator else "API",
        "metadata": {"request_id": entry.request_id, "zone_name": entry.zone_name},
        "newValue": _text(entry.new),
        "newValueJson": entry.new or {},
        "oldValue": _text(entry.old),
        "oldValueJson": entry.old or {},
        "owner": {"id": account_id},
        "resource": {"id": entry.resource_id, "type": entry.resource_type},
        "when": timestamp(entry.at),
    }


def _text(value: dict[str, object] | None) -> str:
    return "" if value is None else msgspec.json.encode(value).decode()

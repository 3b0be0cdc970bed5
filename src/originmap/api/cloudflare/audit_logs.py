"""The audit log: /accounts/{account_id}/audit_logs.

Published operation audit-logs-get-account-audit-logs.
"""

from typing import Any

import msgspec
from falcon.asgi import Request, Response

from originmap.api import envelope, errors
from originmap.api.auth import Guard
from originmap.api.query import page_of, text_of
from originmap.api.timestamps import parse_timestamp, timestamp
from originmap.domain.access import READ_ACCOUNT, READ_MAPPINGS
from originmap.domain.errors import InvalidTime
from originmap.service.audit import EVERYWHERE, Audit, AuditEntry, AuditQuery

MAX_PER_PAGE = 1000
_OPERATORS = ("cli", "setup")


class AuditLogs:
    """GET /accounts/{account_id}/audit_logs"""

    refusals = errors.CORE

    def __init__(self, guard: Guard, audit: Audit) -> None:
        self._guard = guard
        self._audit = audit

    async def on_get(self, req: Request, resp: Response, account_id: str) -> None:
        """A page of what was changed in the account, newest first."""
        caller = self._guard.caller(req)
        self._guard.access.account_with(caller, READ_ACCOUNT, account_id)
        page, per_page = page_of(req, MAX_PER_PAGE, default=100)
        query = AuditQuery(
            since=_time(req, "since"),
            before=_time(req, "before"),
            action=text_of(req, "action.type"),
            actor_email=text_of(req, "actor.email"),
            actor_ip=text_of(req, "actor.ip"),
            zone_name=text_of(req, "zone.name"),
            id=text_of(req, "id"),
        )
        # Only who reads all accounts may see what concerns them all.
        accounts = {account_id}
        if self._guard.access.everywhere(caller, READ_ACCOUNT):
            accounts.add(EVERYWHERE)
        found = await self._audit.entries(
            query, (page - 1) * per_page, per_page, accounts,
            lambda zone: caller.grants.deny_zone(READ_MAPPINGS, zone.id, zone.account_id),
        )  # fmt: skip
        shown = list[dict[str, Any]]()
        async for piece in self._audit.turns.pieces(found):
            shown += [_entry_json(entry, account_id) for entry in piece]
        resp.data = envelope.success(shown)


def _time(req: Request, name: str) -> int | None:
    """A time or a date, as published. Raises InvalidTime for anything else."""
    text = text_of(req, name)
    if text is None:
        return None
    try:
        return parse_timestamp(text if len(text) > len("2026-03-01") else f"{text}T00:00:00Z")
    except ValueError:
        raise InvalidTime(name) from None


def _entry_json(entry: AuditEntry, account_id: str) -> dict[str, Any]:
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


def _text(value: dict[str, Any] | None) -> str:
    return "" if value is None else msgspec.json.encode(value).decode()

"""The audit log of an account: /ui/audit."""

from typing import Any
from urllib.parse import urlencode

from originmap.api.http.response import Response
from originmap.api.ui.inner import InnerRefused
from originmap.api.ui.visit import Visit

_PER_PAGE = 100
_FILTERS = {
    "since": "since",
    "before": "before",
    "action": "action.type",
    "email": "actor.email",
    "address": "actor.ip",
    "zone": "zone.name",
}
"""The fields of the form, and the query arguments of the API."""


async def list_entries(visit: Visit) -> Response:
    """GET /ui/audit: changes in an account, newest first."""
    accounts = await visit.get("/client/v4/accounts?per_page=50")
    account = visit.query.get("account") or (accounts[0]["id"] if accounts else "")
    wanted = {name: visit.query.get(name, "").strip() for name in _FILTERS}
    entries: list[dict[str, Any]] = []
    problems, status = [], 200
    if account not in {each["id"] for each in accounts}:
        problems, status = ["Your token can read no account of that ID."], 403
    else:
        try:
            entries = await visit.get(_url(account, wanted, visit.page_number))
        except InnerRefused as refused:
            problems, status = refused.problems, refused.status
    return await visit.page(
        "audit.html",
        status,
        problems,
        accounts=accounts,
        account=account,
        wanted=wanted,
        entries=entries,
        page=visit.page_number,
        more=len(entries) == _PER_PAGE,
        arguments={"account": account, **{name: text for name, text in wanted.items() if text}},
    )


def _url(account: str, wanted: dict[str, str], page: int) -> str:
    arguments: dict[str, object] = {"page": page, "per_page": _PER_PAGE}
    arguments |= {_FILTERS[name]: text for name, text in wanted.items() if text}
    return f"/client/v4/accounts/{account}/audit_logs?{urlencode(arguments)}"

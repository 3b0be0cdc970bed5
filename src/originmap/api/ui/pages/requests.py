"""The requests of a development server, with what their answers rest on: /ui/requests.

Only `originmap dev` has the routes below /originmap/dev/v1; on another server they do not exist.
"""

from typing import Any

from originmap.api.http.response import Response
from originmap.api.ui.inner import InnerRefused
from originmap.api.ui.mount import BASE
from originmap.api.ui.visit import Visit
from originmap.domain.number import whole

_API = "/originmap/dev/v1"
_PAGE = f"{BASE}/requests"
_MOST = 200
_NUMBERS = ("times", "status", "code", "seconds", "retry_after")
_TEXTS = ("operation", "kind", "error", "when")
_BIG = 1 << 50


async def list_requests(visit: Visit) -> Response:
    """GET /ui/requests: the newest requests, and the faults that wait."""
    return await _show(visit)


async def reset(visit: Visit) -> Response:
    """POST /ui/requests/reset: everything as after the start."""
    await visit.send("POST", f"{_API}/reset")
    return visit.see(_PAGE, "The server is as after its start: state, faults, clock and requests.")


async def clear(visit: Visit) -> Response:
    """POST /ui/requests/clear"""
    await visit.send("DELETE", f"{_API}/requests")
    return visit.see(_PAGE, "The list of requests is empty.")


async def add_fault(visit: Visit) -> Response:
    """POST /ui/requests/faults"""
    body: dict[str, object] = {name: text for name in _TEXTS if (text := visit.field(name))}
    body |= {name: _number(text) for name in _NUMBERS if (text := visit.field(name))}
    if items := visit.field("items").replace(",", " ").split():
        body["items"] = [_index_or_address(item) for item in items]
    try:
        await visit.send("POST", f"{_API}/faults", body)
    except InnerRefused as refused:
        if refused.status != 400:
            raise
        return await _show(visit, refused.problems)
    return visit.see(_PAGE, "The fault waits for requests.")


async def remove_faults(visit: Visit) -> Response:
    """POST /ui/requests/faults/remove"""
    await visit.send("DELETE", f"{_API}/faults")
    return visit.see(_PAGE, "No fault waits any more.")


async def _show(visit: Visit, problems: list[str] | None = None) -> Response:
    # The journal has up to 10,000 requests: ask for its end.
    last = (await visit.get(f"{_API}/requests?after={_BIG}"))["last"]
    found = await visit.get(f"{_API}/requests?after={max(last - _MOST, 0)}")
    requests: list[dict[str, Any]] = found["requests"][::-1]
    return await visit.page(
        "requests.html",
        400 if problems else 200,
        problems,
        requests=requests,
        last=found["last"],
        most=_MOST,
        faults=await visit.get(f"{_API}/faults"),
        fidelity=await visit.get(f"{_API}/fidelity"),
        sent={name: visit.field(name) for name in (*_TEXTS, *_NUMBERS, "items")},
    )


def _number(text: str) -> object:
    """A number for JSON; the text itself, which the API refuses, if it is none."""
    try:
        return int(text) if text.isascii() and text.isdigit() else float(text)
    except ValueError:
        return text


def _index_or_address(text: str) -> object:
    number = whole(text, 0, _BIG)
    return text if number is None else number

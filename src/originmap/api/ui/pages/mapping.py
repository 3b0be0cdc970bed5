"""One mapping: add, change and delete, with the value that the visitor saw as the precondition.

If somebody else has changed it meanwhile, the API answers 412, and the page shows both values.
"""

from typing import Any
from urllib.parse import quote

from originmap.api.http.response import Response
from originmap.api.ui.inner import InnerAnswer, InnerRefused
from originmap.api.ui.mapping_table import regions_for
from originmap.api.ui.mount import BASE
from originmap.api.ui.visit import Visit

_CHANGED = "Somebody else has changed this mapping since you opened it. Nothing was written."
_THERE = "The zone has a mapping of this address already. Nothing was written."
_GONE = "Somebody else has deleted this mapping since you opened it. Nothing was written."


async def show_mapping(visit: Visit) -> Response:
    """GET /ui/zones/{zone_id}/mappings/{ip}: the form."""
    current = await visit.inner.ask("GET", _api_of(visit, _segment(visit)))
    return await _form(visit, current)


async def add_mapping(visit: Visit) -> Response:
    """POST /ui/zones/{zone_id}/mappings: an existing mapping is not replaced without asking."""
    ip = visit.field("ip")
    url = _api_of(visit, quote(ip, safe=""))
    current = await _current(visit, url)
    if current is not None and visit.field("etag") != current.etag:
        return await _form(visit, current, _THERE, mine=visit.field("place"), status=412)
    return await _put(visit, url, ip, current.etag if current is not None else "")


async def change_mapping(visit: Visit) -> Response:
    """POST /ui/zones/{zone_id}/mappings/{ip}"""
    segment = _segment(visit)
    return await _put(visit, _api_of(visit, segment), visit.field("ip"), visit.field("etag"))


async def delete_mapping(visit: Visit) -> Response:
    """POST /ui/zones/{zone_id}/mappings/{ip}/delete"""
    url = _api_of(visit, _segment(visit))
    try:
        answer = await visit.inner.ask("DELETE", url, if_match=visit.field("etag"))
    except InnerRefused as refused:
        return await _conflict(visit, url, refused, mine="")
    return visit.see(_zone_page(visit), f"Deleted the mapping of {answer.result['origin_ip']}.")


async def _put(visit: Visit, url: str, ip: str, etag: str) -> Response:
    vendor, _, region = visit.field("place").partition("/")
    body = {"origin_ip": ip, "vendor": vendor, "region": region}
    try:
        answer = await visit.inner.ask("PUT", url, body, if_match=etag)
    except InnerRefused as refused:
        return await _conflict(visit, url, refused, mine=visit.field("place"))
    result = answer.result
    words = f"{result['origin_ip']} is now in {result['vendor']} {result['region']}."
    notes = "".join(f" Note: {message}." for message in answer.messages)
    return visit.see(_zone_page(visit), words + notes)


async def _conflict(visit: Visit, url: str, refused: InnerRefused, mine: str) -> Response:
    """The form again with both values, if that is why the API refused."""
    if refused.status != 412:
        raise refused
    current = await _current(visit, url)
    if current is None:
        return await visit.page("refused.html", 412, [_GONE])
    return await _form(visit, current, _CHANGED, mine=mine, status=412)


async def _form(
    visit: Visit,
    current: InnerAnswer,
    problem: str = "",
    *,
    mine: str | None = None,
    status: int = 200,
) -> Response:
    """The form; with `mine` beside the current value, which is "" to delete."""
    zone_id = visit.arguments["zone_id"]
    mapping: dict[str, Any] = current.result
    return await visit.page(
        "mapping.html",
        status,
        [problem] if problem else [],
        zone=await visit.get(f"/client/v4/zones/{zone_id}"),
        mapping=mapping,
        etag=current.etag,
        mine=mine,
        regions=await regions_for(visit, zone_id),
        writes=visit.rights.writes(zone_id),
    )


async def _current(visit: Visit, url: str) -> InnerAnswer | None:
    try:
        return await visit.inner.ask("GET", url)
    except InnerRefused as refused:
        if refused.status == 404:
            return None
        raise


def _segment(visit: Visit) -> str:
    """The address in the path, as sent."""
    return visit.arguments["ip"]


def _api_of(visit: Visit, segment: str) -> str:
    return f"/client/v4/zones/{visit.arguments['zone_id']}/origin/cloud_regions/{segment}"


def _zone_page(visit: Visit) -> str:
    return f"{BASE}/zones/{visit.arguments['zone_id']}"

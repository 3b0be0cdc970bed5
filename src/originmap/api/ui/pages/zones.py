"""The list of zones: /ui/zones."""

from urllib.parse import urlencode

from originmap.api.http.response import Response
from originmap.api.ui.visit import Visit

_PER_PAGE = 50


async def list_zones(visit: Visit) -> Response:
    """GET /ui/zones: the zones that the token can read, by name; `q` is a part of the name."""
    wanted, page = visit.query.get("q", ""), visit.page_number
    arguments: dict[str, object] = {"page": page, "per_page": _PER_PAGE}
    if wanted:
        arguments["name"] = f"contains:{wanted}"
    found = await visit.send("GET", f"/client/v4/zones?{urlencode(arguments)}")
    return await visit.page("zones.html", zones=found.result, info=found.info, wanted=wanted)

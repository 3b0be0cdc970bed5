"""Changes of many mappings: a plan with its moves, then batches.

A script applies the plan 100 changes at a time and shows the progress; without it, one form applies
all of them. Before each part the page compares the zone with the plan.
"""

from typing import Any

import msgspec

from originmap.api.http.response import JSON, Response
from originmap.api.ui.mapping_plan import (
    PlannedChange,
    Wanted,
    known,
    outdated,
    plan_of,
    read_fields,
    read_list,
    words,
)
from originmap.api.ui.mapping_table import mappings_of, place_of, regions_for, upper_tiers
from originmap.api.ui.mount import BASE
from originmap.api.ui.render import HEADERS
from originmap.api.ui.visit import Visit
from originmap.domain.mapping.batch import MAX_ITEMS
from originmap.domain.mapping.mapping import MAX_MAPPINGS
from originmap.domain.number import whole

_TWICE = "The zone has changed since the plan was made; nothing was written. This is the plan now."


async def show_plan(visit: Visit) -> Response:
    """POST /ui/zones/{zone_id}/plan: of a list in `text`, or of selected addresses in `ip` that
    `action` deletes or moves to `place`."""
    zone = await visit.get(f"/client/v4/zones/{visit.arguments['zone_id']}")
    action, selected = visit.field("action"), visit.fields.get("ip", [])
    if not action:
        text = "\n".join(visit.fields.get("text", []))
        wanted = await visit.on_thread(read_list, text, zone["name"], visit.field("place"))
    elif not selected:
        wanted = Wanted({}, ["No mapping is selected."])
    elif action == "move" and not visit.field("place"):
        wanted = Wanted({}, ["Choose the region that the selected mappings are to have."])
    else:
        place = visit.field("place") if action == "move" else ""
        wanted = Wanted(dict.fromkeys(selected, place), [])
    return await _show(visit, zone, wanted)


async def apply_plan(visit: Visit) -> Response:
    """POST /ui/zones/{zone_id}/apply: the changes in `change`. Scripts get JSON; with the last part
    they say in `before` how many changes the earlier ones had."""
    zone_id = visit.arguments["zone_id"]
    zone = await visit.get(f"/client/v4/zones/{zone_id}")
    try:
        changes = await visit.on_thread(read_fields, visit.fields.get("change", []))
    except ValueError:
        return await visit.page("refused.html", 400, ["The form is not a plan of this page."])
    problems = await visit.on_thread(outdated, changes, await _now(visit))
    for_script = JSON in (visit.request.header(b"accept") or "")
    if problems and not for_script:
        wanted = Wanted({each.ip: each.after for each in changes}, [])
        return await _show(visit, zone, wanted, [_TWICE, *problems])
    failed = problems or await _apply(visit, changes)
    done = 0 if problems else len(changes) - len(failed)
    if for_script:
        before = whole(visit.field("before"), 0, MAX_MAPPINGS)
        if before is not None and not failed:  # it was the last part
            visit.session.notices.append(f"{before + done:,} changes are written.")
        body = msgspec.json.encode({"done": done, "failed": failed})
        return Response(body, 409 if problems else 200, HEADERS)
    text = f"{done:,} of {len(changes):,} changes are written."
    visit.session.notices += [text, *failed]
    return visit.see(f"{BASE}/zones/{zone_id}")


async def _show(
    visit: Visit, zone: dict[str, Any], wanted: Wanted, problems: list[str] | None = None
) -> Response:
    tiers = upper_tiers(await regions_for(visit, zone["id"]))
    now = await _now(visit)
    plan = await visit.on_thread(lambda: plan_of(*known(wanted, tiers), now))
    return await visit.page(
        "plan.html",
        409 if problems else 200,
        problems,
        zone=zone,
        plan=plan,
        moves=plan.moves(tiers),
        tiers=tiers,
        words=words,
        batch=MAX_ITEMS,
        writes=visit.rights.writes(zone["id"]),
    )


async def _now(visit: Visit) -> dict[str, str]:
    mappings = await mappings_of(visit, visit.arguments["zone_id"])
    return {mapping["origin_ip"]: place_of(mapping) for mapping in mappings}


async def _apply(visit: Visit, changes: list[PlannedChange]) -> list[str]:
    """Write the changes in batches; returns what failed, in words."""
    url = f"/client/v4/zones/{visit.arguments['zone_id']}/origin/cloud_regions/batch"
    failed: list[str] = []
    for deleting in (True, False):  # first the deletions, which make room
        items = [_item(each) for each in changes if bool(each.after) is not deleting]
        for start in range(0, len(items), MAX_ITEMS):
            part, method = items[start : start + MAX_ITEMS], "DELETE" if deleting else "PUT"
            answer = await visit.send(method, url, part)
            failed += [f"{each['origin_ip']}: {each['error']}" for each in answer.result["failed"]]
    return failed


def _item(change: PlannedChange) -> object:
    if not change.after:
        return change.ip
    vendor, _, region = change.after.partition("/")
    return {"origin_ip": change.ip, "vendor": vendor, "region": region}

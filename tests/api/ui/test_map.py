"""The map's tables and drawing, and changes of colos with preview and undo."""

import re

import httpx
import pytest

from originmap import bootstrap
from originmap.domain.mapping.mapping import put
from tests.api.matrix import OTHER_ZONE, ZONE
from tests.api.ui.conftest import UI, Visitor, words
from tests.api.ui.tables import drawing_of, row_of
from tests.builders import CAUSE, US_WEST, ip

DRAIN = "/map/preview?to=draining&colo=IAD"


async def _states(visitor: Visitor) -> dict[str, str]:
    topology = (await visitor.get("/api/originmap/v1/topology")).json()["result"]
    return {colo["code"]: colo["state"] for colo in topology["colos"]}


async def test_the_tables_say_what_caches_fill_through(operator: Visitor) -> None:
    page = await operator.get("/")
    assert row_of(page, "aws us-east-1") == "aws us-east-1 Ashburn, US 1 1 IAD EWR"
    assert row_of(page, "IAD") == "IAD Ashburn, US active 1 0"
    assert row_of(page, "EWR").endswith("active 0 1")


async def test_the_drawing_has_the_facts_of_the_tables(operator: Visitor) -> None:
    drawing = drawing_of(await operator.get("/"))
    (city,) = drawing["cities"]
    assert (city["label"], city["origins"]) == ("Ashburn, US", 1)
    assert city["facts"] == ["aws us-east-1: 1 origin, upper tier IAD, fallback EWR"]
    assert [line["kind"] for line in drawing["lines"]] == ["tier", "fallback"]
    (iad,) = (colo for colo in drawing["colos"] if colo["label"].startswith("IAD"))
    assert iad["facts"] == ["active", "Upper tier of 1 origin: aws us-east-1"]
    assert iad["actions"][0] == {"text": "Drain IAD…", "url": f"/ui{DRAIN}"}


async def test_zone_vendor_and_region_filter(opened: bootstrap.Opened, operator: Visitor) -> None:
    await opened.store.write(OTHER_ZONE, (ip("192.0.2.9"),), put(ip("192.0.2.9"), US_WEST), CAUSE)
    east, west = "aws us-east-1", "aws us-west-2"
    for query, shown, hidden in (
        ("zone=EXAMPLE.com", east, west),
        ("region=west", west, east),
        ("region=ashburn&vendor=aws", east, west),
    ):
        page = words(await operator.get(f"/?{query}"))
        assert shown in page
        assert hidden not in page
    assert "No origin matches this filter" in words(await operator.get("/?vendor=gcp"))


async def test_a_zone_token_sees_its_zone_and_nobody_without_right_sees_buttons(
    stranger: Visitor, opened: bootstrap.Opened
) -> None:
    await opened.store.write(OTHER_ZONE, (ip("192.0.2.9"),), put(ip("192.0.2.9"), US_WEST), CAUSE)
    await stranger.sign_in("secret-all")
    seen = _seen(await stranger.get(DRAIN))
    await stranger.sign_in("secret-zone")
    page = await stranger.get("/")
    assert "aws us-west-2" in page.text
    assert "us-east-1" not in page.text
    for token in ("secret-zone", "secret-read"):
        await stranger.sign_in(token)
        assert "Drain" not in (await stranger.get("/")).text
        assert "/map/states" not in (await stranger.get(DRAIN)).text
        refused = await stranger.post("/map/states", to="draining", colo="IAD", seen=seen)
        assert refused.status_code == 403
        assert "does not have the permission" in words(refused)


def _seen(preview: httpx.Response) -> str:
    found = re.search(r'name="seen" value="([^"]+)"', preview.text)
    return found[1] if found else ""


async def test_draining_shows_the_moves_then_changes_then_is_undone(operator: Visitor) -> None:
    preview = await operator.get(DRAIN)
    assert "1 origin would start with a cold cache" in words(preview)
    assert row_of(preview, "example.com") == "example.com 1 0"
    assert {line["kind"] for line in drawing_of(preview)["lines"]} == {"old", "tier", "fallback"}
    assert (await _states(operator))["IAD"] == "active"
    done = await operator.post("/map/states", to="draining", colo="IAD", seen=_seen(preview))
    assert "IAD is draining now." in words(done)
    assert (await _states(operator))["IAD"] == "draining"
    assert "Undo, so that IAD is active again" in words(await operator.get("/"))
    undone = await operator.post("/map/undo")
    assert "IAD is active again." in words(undone)
    assert "Undo" not in words(undone)
    assert (await _states(operator))["IAD"] == "active"


async def test_several_colos_change_at_once_and_each_gets_its_state_back(
    operator: Visitor,
) -> None:
    for to, codes in (("draining", ["IAD"]), ("down", ["IAD", "EWR"])):
        query = "&".join(f"colo={code}" for code in codes)
        preview = await operator.get(f"/map/preview?to={to}&{query}")
        await operator.post("/map/states", to=to, colo=codes, seen=_seen(preview))
    undone = await operator.post("/map/undo")
    assert "EWR is active, IAD is draining again." in words(undone)


async def test_a_preview_that_is_out_of_date_is_shown_again(operator: Visitor) -> None:
    preview = await operator.get(DRAIN)
    later = await operator.get("/map/preview?to=down&colo=SYD")
    await operator.post("/map/states", to="down", colo="SYD", seen=_seen(later))
    again = await operator.post("/map/states", to="draining", colo="IAD", seen=_seen(preview))
    assert again.status_code == 409
    assert "The topology has changed since the preview" in words(again)
    assert (await _states(operator))["IAD"] == "active"
    done = await operator.post("/map/states", to="draining", colo="IAD", seen=_seen(again))
    assert done.status_code == 200


async def test_a_change_by_somebody_else_is_not_undone(operator: Visitor) -> None:
    preview = await operator.get(DRAIN)
    await operator.post("/map/states", to="draining", colo="IAD", seen=_seen(preview))
    headers = {"Authorization": "Bearer secret-all"}
    url, body = "http://testserver/originmap/v1/topology", {"states": {"IAD": "down"}}
    await operator.client.patch(url, headers=headers, json=body)
    assert "Undo" not in words(await operator.get("/"))
    assert (await operator.post("/map/undo")).status_code == 409
    assert (await _states(operator))["IAD"] == "down"


async def test_what_cannot_be_previewed_is_said_on_the_map(operator: Visitor) -> None:
    for query, problem in (
        ("to=draining", "Select at least one colo."),
        ("to=retired&colo=IAD", "Choose whether to drain, take down or activate."),
        ("to=down&colo=XXX", "there is no colo XXX"),
    ):
        page = await operator.get(f"/map/preview?{query}")
        assert page.status_code == 400
        assert problem in words(page)
        assert "<h1>Map</h1>" in page.text
    same = await operator.get("/map/preview?to=active&colo=IAD")
    assert "Nothing would change: IAD is active already." in words(same)
    assert "map.js" not in same.text


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"to": "retired", "colo": "IAD"}, "Choose whether to drain, take down or activate."),
        ({"to": "down"}, "Select at least one colo."),
    ],
)
async def test_a_form_without_a_change_changes_nothing(
    operator: Visitor, fields: dict[str, str], problem: str
) -> None:
    await operator.get(DRAIN)
    page = await operator.post("/map/states", **fields)
    assert page.status_code == 400
    assert problem in words(page)


async def test_a_page_that_renews_itself_leaves_the_notice_to_people(operator: Visitor) -> None:
    preview = await operator.get(DRAIN)
    fields = {"csrf": operator.csrf, "to": "draining", "colo": "IAD", "seen": _seen(preview)}
    await operator.client.post(f"{UI}/map/states", data=fields)
    renewed = await operator.client.get(f"{UI}/", headers={"X-Live": "1"})
    assert "IAD is draining now." not in words(renewed)
    assert "IAD is draining now." in words(await operator.get("/"))


async def test_many_colos_are_counted(operator: Visitor) -> None:
    codes = list(await _states(operator))[:20]
    page = await operator.get("/map/preview?to=down&" + "&".join(f"colo={c}" for c in codes))
    assert "<h1>Take down 20 colos: preview</h1>" in page.text


async def test_a_name_cannot_end_the_data_of_thedrawing_of(
    opened: bootstrap.Opened, operator: Visitor
) -> None:
    topology = (await operator.get("/api/originmap/v1/topology")).json()["result"]
    topology["colos"][0]["city"] = "</script><script>alert(1)</script>"
    headers = {"Authorization": "Bearer secret-all"}
    url = "http://testserver/originmap/v1/topology"
    assert (await operator.client.put(url, headers=headers, json=topology)).status_code == 200
    page = await operator.get("/")
    assert "<script>alert" not in page.text
    assert any("</script>" in colo["label"] for colo in drawing_of(page)["colos"])


async def test_origins_without_tiered_cache_have_no_upper_tier(operator: Visitor) -> None:
    headers = {"Authorization": "Bearer secret-all"}
    zone = f"http://testserver/client/v4/zones/{ZONE}"
    await operator.client.patch(
        f"{zone}/argo/tiered_caching", headers=headers, json={"value": "off"}
    )
    page = await operator.get("/")
    assert "none: tiered cache is off, or not smart" in row_of(page, "aws us-east-1")
    assert drawing_of(page)["lines"] == []
    preview = words(await operator.get(DRAIN))
    assert "0 origins would start with a cold cache" in preview

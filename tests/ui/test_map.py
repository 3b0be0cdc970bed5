"""The map, and draining colos on it: by mouse, finger and keyboard, and without JavaScript."""

import math
import re
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.ui import browser, keyboard
from tests.ui.zone import Zone

TOPOLOGY = "/originmap/v1/topology"
UNDO = re.compile("^Undo")


@pytest.fixture(autouse=True)
def topology(api: httpx.Client) -> Iterator[None]:
    """The topology is as before after each test."""
    before = api.get(TOPOLOGY).json()["result"]
    yield
    api.put(TOPOLOGY, json=before).raise_for_status()


@pytest.fixture(autouse=True)
def ashburn(zone: Zone) -> None:
    """Three origins that fill from IAD, two from FRA."""
    zone.put({f"192.0.2.{number}": "us-east-1" for number in range(3)})
    zone.put({f"192.0.2.{number}": "eu-central-1" for number in range(3, 5)})


def test_the_root_leads_to_the_map(page: Page) -> None:
    page.goto("/")
    assert page.url.endswith("/ui/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Map")


def test_hover_focus_and_click_show_the_numbers(page: Page) -> None:
    open_map(page)
    tip = page.locator(".leaflet-tooltip")
    colo(page, "IAD").hover()
    expect(tip).to_contain_text("Upper tier of 3 origins")
    page.mouse.move(2, 2)
    expect(tip).to_have_count(0)
    colo(page, "FRA").focus()
    expect(tip).to_contain_text("Upper tier of 2 origins")
    colo(page, "IAD").click()
    expect(page.locator("#map-facts")).to_contain_text("aws us-east-1")


def test_the_table_has_the_facts_of_the_map(page: Page) -> None:
    open_map(page)
    drawn = page.evaluate("JSON.parse(document.getElementById('drawing').textContent)")
    table = page.locator("#colos").inner_text()
    assert len(drawn["colos"]) == 75
    assert all(each["label"].split()[0] in table for each in drawn["colos"])
    row = page.locator("#regions tr", has_text="aws us-east-1")
    for fact in ("3", "1", "IAD", "EWR"):
        expect(row).to_contain_text(fact)
    assert page.locator("#map path.line.tier").count() >= 2
    assert page.locator("#map path.line.fallback").count() >= 2


def test_a_colo_is_drained_on_the_map_and_activated_again(
    page: Page, api: httpx.Client, zone: Zone
) -> None:
    open_map(page)
    colo(page, "IAD").click()
    page.get_by_role("link", name="Drain IAD").click()
    expect(page.get_by_text("3 origins would start with a cold cache")).to_be_visible()
    expect(page.locator("tr", has_text=zone.name).first).to_contain_text("3")
    expect(page.locator("#map path.line.old")).not_to_have_count(0)
    assert state(api, "IAD") == "active"
    page.get_by_role("button", name="Drain IAD").click()
    expect(page.get_by_role("status").first).to_contain_text("IAD is draining")
    assert state(api, "IAD") == "draining"
    page.get_by_role("button", name=UNDO).click()
    expect(page.get_by_role("button", name=UNDO)).to_have_count(0)
    assert state(api, "IAD") == "active"


def test_a_colo_is_taken_down_with_the_keyboard_alone(page: Page, api: httpx.Client) -> None:
    open_map(page)
    keyboard.press(page, colo(page, "IAD"))
    down = page.get_by_role("link", name="Take down IAD")
    keyboard.press(page, down)
    keyboard.press(page, page.get_by_role("button", name="Take down IAD"))
    expect(page.get_by_role("status").first).to_contain_text("IAD is down")
    assert state(api, "IAD") == "down"
    keyboard.press(page, page.get_by_role("button", name=UNDO))
    expect(page.get_by_role("button", name=UNDO)).to_have_count(0)
    assert state(api, "IAD") == "active"


def test_the_keyboard_pans_and_zooms(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    open_map(page)
    box = page.locator("#map")
    keyboard.go_to(page, box)
    place = colo(page, "IAD")
    for key in ("+", "+", "ArrowRight", "ArrowUp", "-"):
        before = middle(place)
        page.keyboard.press(key)
        expect_change(page, lambda before=before: middle(place) != before)


def test_the_map_can_be_skipped(page: Page) -> None:
    open_map(page)
    keyboard.press(page, page.get_by_role("link", name="Skip the map"))
    expect(page.locator("#regions")).to_be_focused()


def test_the_mouse_drags_and_the_wheel_zooms(page: Page) -> None:
    open_map(page)
    x, y = middle(page.locator("#map"))
    apart = distance(page)
    page.locator("#map").focus()
    page.mouse.move(x, y)
    page.mouse.wheel(0, -400)
    expect_change(page, lambda: distance(page) > apart * 1.5)
    rest(page)
    before = middle(colo(page, "IAD"))
    page.mouse.down()
    page.mouse.move(x + 30, y + 15, steps=5)
    page.mouse.move(x + 60, y + 30, steps=5)
    page.mouse.up()
    expect_change(page, lambda: middle(colo(page, "IAD"))[0] > before[0] + 30)


def test_fingers_open_a_colo_zoom_and_drag_the_map(chromium: Browser, base_url: str) -> None:
    phone = {"width": 390, "height": 800}
    with (
        browser.window(chromium, base_url, viewport=phone, has_touch=True) as context,
        browser.watched(context) as page,
    ):
        open_map(page)
        x, y = middle(page.locator("#map"))
        apart = distance(page)
        touch(page, *([(x - by, y), (x + by, y)] for by in range(20, 101, 10)))
        expect_change(page, lambda: distance(page) > apart * 2)
        rest(page)
        before = middle(colo(page, "IAD"))
        touch(page, *([(x - by, y + by)] for by in range(0, 81, 10)))
        expect_change(page, lambda: middle(colo(page, "IAD"))[0] < before[0] - 40)
        assert page.evaluate("scrollY") == 0, "the page has not moved"
        rest(page)
        touch(page, *([(x - by, y), (x + by, y)] for by in range(100, 19, -10)))
        expect_change(page, lambda: distance(page) < apart * 2)
        colo(page, "IAD").tap()
        expect(page.get_by_role("link", name="Drain IAD")).to_be_visible()


def test_several_colos_are_changed_without_javascript(plain: Page, api: httpx.Client) -> None:
    plain.goto("/ui/")
    for code in ("IAD", "EWR"):
        plain.get_by_role("checkbox", name=f"Select {code}").check()
    plain.get_by_role("button", name="Drain").click()
    expect(plain.get_by_role("heading", level=1)).to_contain_text("EWR, IAD")
    plain.get_by_role("button", name="Drain EWR, IAD").click()
    expect(plain.get_by_role("status").first).to_contain_text("draining")
    assert {state(api, code) for code in ("IAD", "EWR")} == {"draining"}
    plain.get_by_role("button", name=UNDO).click()
    assert {state(api, code) for code in ("IAD", "EWR")} == {"active"}


def test_a_change_without_a_colo_says_what_to_do(plain: Page) -> None:
    plain.goto("/ui/")
    plain.get_by_role("button", name="Drain").click()
    expect(plain.get_by_role("alert")).to_contain_text("Select at least one colo")


def test_a_preview_of_an_earlier_topology_is_not_carried_out(page: Page, api: httpx.Client) -> None:
    page.goto("/ui/map/preview?to=draining&colo=IAD")
    set_state(api, "EWR", "down")
    page.get_by_role("button", name="Drain IAD").click()
    expect(page.get_by_role("alert")).to_contain_text("has changed since the preview")
    assert state(api, "IAD") == "active"


def test_the_last_upper_tier_cannot_be_taken_down(plain: Page, api: httpx.Client) -> None:
    codes = [each["code"] for each in api.get(TOPOLOGY).json()["result"]["colos"]]
    plain.goto("/ui/map/preview?to=down&" + "&".join(f"colo={code}" for code in codes))
    expect(plain.get_by_role("alert")).to_be_visible()


def test_filters_narrow_the_map_and_the_table(page: Page, zone: Zone) -> None:
    open_map(page)
    page.get_by_label("Zone", exact=True).fill(zone.name)
    page.get_by_label("Region or city").fill("frankfurt")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("#regions tbody tr")).to_have_count(1)
    expect(page.locator("#regions tbody tr")).to_contain_text("eu-central-1")
    expect(page.locator("#map .mark.city")).to_have_count(1)
    page.get_by_label("Vendor").select_option("aws")
    page.get_by_label("Region or city").fill("nothing")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_text("No origin matches this filter")).to_be_visible()


def test_a_change_by_the_api_appears_without_a_reload(
    page: Page, api: httpx.Client, zone: Zone
) -> None:
    open_map(page)
    page.evaluate("window.same = true")
    set_state(api, "MIA", "down")
    expect(page.locator("#colos tr", has_text="Miami")).to_contain_text("down")
    expect(page.locator("#map .mark.colo.down")).to_have_count(1)
    zone.put({"192.0.2.9": "us-east-1"})
    expect(page.locator("#regions tr", has_text="aws us-east-1")).to_contain_text("4")
    assert page.evaluate("window.same")


def test_a_line_takes_the_short_way_across_the_antimeridian(page: Page) -> None:
    open_map(page)
    pieces = page.evaluate(
        """async () => {
            const source = [...document.scripts].find(each => each.src.includes('map.js')).src;
            const found = await import(source.replace('map.js', 'geometry.js'));
            return found.shortestWay([35.6, 139.8], [37.6, -122.4]);
        }"""
    )
    assert len(pieces) == 2
    assert abs(pieces[0][-1][1]) == abs(pieces[1][0][1]) == 180
    assert all(abs(longitude) > 120 for piece in pieces for _, longitude in piece)


def open_map(page: Page) -> None:
    page.goto("/ui/")
    page.locator("#map[data-ready]").wait_for()


def colo(page: Page, code: str) -> Locator:
    """A colo on the map."""
    return page.locator(f"#map [aria-label^='{code} ']")


def state(api: httpx.Client, code: str) -> str:
    colos = api.get(TOPOLOGY).json()["result"]["colos"]
    return next(str(each["state"]) for each in colos if each["code"] == code)


def set_state(api: httpx.Client, code: str, to: str) -> None:
    api.patch(TOPOLOGY, json={"states": {code: to}}).raise_for_status()


def middle(place: Locator) -> tuple[float, float]:
    """The middle of an element in the window."""
    box = place.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def distance(page: Page) -> float:
    """The pixels between two colos: the larger, the closer is the map."""
    return math.dist(middle(colo(page, "IAD")), middle(colo(page, "FRA")))


def touch(page: Page, *moves: list[tuple[float, float]]) -> None:
    """Put fingers on the window, move them, and take them away; a move has a point for each."""
    cdp = page.context.new_cdp_session(page)
    for number, points in enumerate(moves):
        kind = "touchMove" if number else "touchStart"
        fingers = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(points)]
        cdp.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})
    cdp.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def rest(page: Page) -> None:
    """Wait until the map has stopped to move: it ignores fingers and the mouse meanwhile."""
    last = None
    while (now := middle(colo(page, "IAD"))) != last:
        last = now
        page.wait_for_timeout(300)


def expect_change(page: Page, seen: Callable[[], bool]) -> None:
    """Wait, at most as long as for other steps, until the map has moved."""
    until = time.monotonic() + browser.PATIENCE_MS / 1000
    while not seen() and time.monotonic() < until:
        page.wait_for_timeout(20)
    assert seen()

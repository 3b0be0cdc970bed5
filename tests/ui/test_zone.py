"""The mappings of a zone: search, changes of one and of many, plans, and conflicts."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.ui import keyboard
from tests.ui.zone import Zone

FULL = 3_500
SEVERAL_BATCHES = 300
ADDED = re.compile("Add a mapping")
PASTED = re.compile("Paste a list")


@pytest.fixture
def filled(zone: Zone) -> Zone:
    """Ten mappings in two regions."""
    zone.put({f"192.0.2.{number}": "us-east-1" for number in range(1, 7)})
    zone.put({f"192.0.2.{number}": "japaneast" for number in range(7, 11)}, "azure")
    return zone


def test_a_zone_is_found_from_the_map(page: Page, filled: Zone) -> None:
    page.goto("/ui/")
    page.get_by_role("link", name="Zones", exact=True).click()
    page.get_by_label("Name contains").fill(filled.name)
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name=filled.name).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(filled.name)
    expect(page.locator("#rows tr")).to_have_count(10)


def test_a_mapping_is_added_changed_and_deleted(page: Page, zone: Zone) -> None:
    open_zone(page, zone)
    page.get_by_label("Origin IP", exact=True).fill("2001:DB8:0::1")
    page.locator("#new-place").select_option("aws/eu-west-1")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("status").first).to_contain_text("2001:db8::1 is now in aws eu-west-1")
    assert zone.read() == {"2001:db8::1": "eu-west-1"}
    page.get_by_role("link", name="2001:db8::1", exact=True).click()
    page.get_by_label("Region").select_option("gcp/us-central1")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").first).to_contain_text("gcp us-central1")
    page.get_by_role("link", name="2001:db8::1", exact=True).click()
    page.get_by_role("button", name="Delete this mapping").click()
    expect(page.get_by_text("Deleted the mapping")).to_be_visible()
    assert zone.read() == {}


def test_a_mapping_is_added_and_deleted_with_the_keyboard_alone(page: Page, zone: Zone) -> None:
    open_zone(page, zone)
    keyboard.write(page, page.get_by_label("Origin IP", exact=True), "192.0.2.1")
    keyboard.go_to(page, page.locator("#new-place"))
    page.keyboard.type("aws eu-west-1")
    keyboard.press(page, page.get_by_role("button", name="Add", exact=True))
    expect(page.get_by_role("status").first).to_contain_text("192.0.2.1 is now in aws eu-west-1")
    keyboard.press(page, page.get_by_role("link", name="192.0.2.1", exact=True))
    keyboard.press(page, page.get_by_role("button", name="Delete this mapping"))
    expect(page.get_by_text("Deleted the mapping")).to_be_visible()
    assert zone.read() == {}


def test_a_wrong_address_is_refused_in_words(page: Page, zone: Zone) -> None:
    open_zone(page, zone)
    page.get_by_label("Origin IP", exact=True).fill("192.0.2.300")
    page.locator("#new-place").select_option("aws/eu-west-1")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert zone.read() == {}


def test_search_and_filters_narrow_the_table(page: Page, filled: Zone) -> None:
    open_zone(page, filled)
    rows = page.locator("#rows tr")
    page.get_by_label("Search").fill("japan")
    expect(rows).to_have_count(4)
    expect(page.locator("#count")).to_have_text("4 of 10 mappings")
    page.get_by_label("Search").fill("192.0.2.10")
    expect(rows).to_have_count(1)
    page.get_by_label("Search").fill("")
    page.get_by_label("Vendor", exact=True).select_option("aws")
    expect(rows).to_have_count(6)
    page.reload()
    expect(rows).to_have_count(6)
    page.get_by_label("Vendor", exact=True).select_option("")
    page.locator("#region").select_option("azure/japaneast")
    expect(rows).to_have_count(4)
    page.locator("#region").select_option("")
    page.get_by_label("Changed since").fill("2999-01-01T00:00")
    expect(rows).to_have_count(0)


def test_filters_work_without_javascript(plain: Page, filled: Zone) -> None:
    plain.goto(f"/ui/zones/{filled.id}")
    plain.get_by_label("Search").fill("japan")
    plain.get_by_label("Vendor", exact=True).select_option("azure")
    plain.get_by_role("button", name="Filter").click()
    expect(plain.locator("#rows tr")).to_have_count(4)


def test_mappings_that_contradict_published_ranges_are_found(page: Page, zone: Zone) -> None:
    zone.put({"203.0.113.1": "us-east4", "203.0.113.2": "europe-west1"}, "gcp")
    zone.put({"192.0.2.200": "us-east-1"})
    open_zone(page, zone)
    page.get_by_label("Contradicts published ranges").check()
    expect(page.locator("#rows tr")).to_have_count(1)
    expect(page.locator("#rows tr")).to_contain_text("203.0.113.1")
    expect(page.locator("#rows .warn")).to_have_text("gcp europe-west1")
    expect(page.get_by_role("columnheader", name="Published as")).to_be_visible()
    page.reload()
    expect(page.locator("#rows .warn")).to_have_text("gcp europe-west1")
    zone.put({"203.0.113.2": "us-east4"}, "gcp")
    expect(page.locator("#rows tr")).to_have_count(2)
    page.get_by_label("Contradicts published ranges").uncheck()
    expect(page.locator("#rows tr")).to_have_count(3)
    expect(page.get_by_role("columnheader", name="Published as")).to_have_count(0)


def test_a_file_is_dropped_with_the_mouse(page: Page, zone: Zone, tmp_path: Path) -> None:
    file = tmp_path / "mappings.csv"
    file.write_text("ip,vendor,region\n192.0.2.1,aws,us-east-1\n")
    open_zone(page, zone)
    page.get_by_text(PASTED).click()
    drag(page, page.get_by_label("Mappings, one a line"), file)
    expect(page.get_by_label("Mappings, one a line")).to_have_value(file.read_text())
    page.get_by_role("button", name="Show the plan").click()
    expect(page.get_by_text("1 to add, 0 to change, 0 to delete")).to_be_visible()


def test_a_full_zone_is_searched_and_paged(page: Page, zone: Zone) -> None:
    zone.put({f"198.18.{at >> 8}.{at & 255}": "us-east-1" for at in range(FULL)})
    open_zone(page, zone)
    expect(page.locator("#count")).to_have_text("3,500 mappings")
    expect(page.locator("#rows tr")).to_have_count(100)
    page.get_by_role("button", name="Next").click()
    expect(page.locator("#pager")).to_contain_text("Page 2 of 35")
    page.get_by_label("Search").fill("198.18.13.171")
    expect(page.locator("#rows tr")).to_have_count(1)
    page.get_by_label("Search").fill("198.18.13")
    page.locator("#all").check()
    page.get_by_label("Search").fill("")
    page.get_by_role("button", name="Delete…").click()
    expect(page.get_by_text("to delete")).to_contain_text("172 to delete")
    page.get_by_role("button", name="Write 172 changes").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(zone.name)
    expect(page.locator("#count")).to_have_text("3,328 mappings")


def test_selected_mappings_move_after_a_plan(page: Page, filled: Zone) -> None:
    open_zone(page, filled)
    for number in (1, 2):
        page.get_by_role("checkbox", name=f"Select 192.0.2.{number}", exact=True).check()
    expect(page.locator("#selected")).to_have_text("(2)")
    page.locator("#move-place").select_option("aws/eu-west-1")
    page.get_by_role("button", name="Change region…").click()
    expect(page.get_by_text("2 to change")).to_be_visible()
    expect(page.locator("table", has_text="whose cache starts cold")).to_contain_text("IAD")
    assert filled.read()["192.0.2.1"] == "us-east-1"
    page.get_by_role("button", name="Write 2 changes").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(filled.name)
    assert {filled.read()[f"192.0.2.{number}"] for number in (1, 2)} == {"eu-west-1"}


def test_selected_mappings_are_deleted_without_javascript(plain: Page, filled: Zone) -> None:
    plain.goto(f"/ui/zones/{filled.id}")
    for number in (1, 2):
        plain.get_by_role("checkbox", name=f"Select 192.0.2.{number}", exact=True).check()
    plain.get_by_role("button", name="Delete…").click()
    plain.get_by_role("button", name="Write 2 changes").click()
    expect(plain.get_by_role("status").first).to_contain_text("2 of 2 changes are written")
    assert len(filled.read()) == 8


def test_a_pasted_list_is_planned_and_applied(page: Page, filled: Zone) -> None:
    open_zone(page, filled)
    page.get_by_text(PASTED).click()
    lines = "origin_ip,vendor,region\n192.0.2.1,aws,us-west-2\n192.0.2.99;gcp;us-central1\nnonsense"
    page.get_by_label("Mappings, one a line").fill(lines)
    page.get_by_role("button", name="Show the plan").click()
    expect(page.get_by_text("1 to add, 1 to change, 0 to delete")).to_be_visible()
    expect(page.locator(".warning")).to_contain_text("nonsense")
    page.get_by_role("button", name="Write 2 changes").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(filled.name)
    assert filled.read()["192.0.2.1"] == "us-west-2"
    assert filled.read()["192.0.2.99"] == "us-central1"


def test_a_csv_file_is_applied_in_batches(page: Page, zone: Zone, tmp_path: Path) -> None:
    file = tmp_path / "mappings.csv"
    lines = [f"198.18.{at >> 8}.{at & 255},aws,us-east-1" for at in range(SEVERAL_BATCHES)]
    file.write_text("\r\n".join(["ip,vendor,region", *lines]))
    open_zone(page, zone)
    page.get_by_text(PASTED).click()
    page.locator("#file").set_input_files(file)
    expect(page.get_by_label("Mappings, one a line")).not_to_have_value("")
    page.get_by_role("button", name="Show the plan").click()
    page.get_by_role("button", name="Write 300 changes").click()
    expect(page.locator("#count")).to_have_text("300 mappings")
    assert len(zone.read()) == SEVERAL_BATCHES


def test_a_plan_is_not_applied_to_a_zone_that_has_changed(page: Page, filled: Zone) -> None:
    open_zone(page, filled)
    page.get_by_text(PASTED).click()
    page.get_by_label("Mappings, one a line").fill("192.0.2.1 aws eu-west-1")
    page.get_by_role("button", name="Show the plan").click()
    filled.put({"192.0.2.1": "sa-east-1"})
    page.get_by_role("button", name="Write 1 change").click()
    expect(page.get_by_text("Stopped: 0 changes are written")).to_be_visible()
    assert filled.read()["192.0.2.1"] == "sa-east-1"


def test_a_conflict_shows_both_values(page: Page, filled: Zone) -> None:
    page.goto(f"/ui/zones/{filled.id}/mappings/192.0.2.1")
    page.get_by_label("Region").select_option("aws/eu-west-1")
    filled.put({"192.0.2.1": "sa-east-1"})
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Somebody else has changed")
    expect(page.get_by_role("region", name="Now in the zone")).to_contain_text("sa-east-1")
    expect(page.get_by_role("region", name="What you wanted")).to_contain_text("eu-west-1")
    assert filled.read()["192.0.2.1"] == "sa-east-1"
    page.get_by_role("button", name="Overwrite with this value").click()
    expect(page.get_by_role("status").first).to_contain_text("192.0.2.1 is now in aws eu-west-1")
    assert filled.read()["192.0.2.1"] == "eu-west-1"


def test_a_change_by_the_api_appears_without_a_reload(page: Page, filled: Zone) -> None:
    open_zone(page, filled)
    page.get_by_label("Search").fill("192.0.2.1")
    page.get_by_role("checkbox", name="Select 192.0.2.10", exact=True).check()
    filled.put({"192.0.2.1": "eu-west-2"})
    expect(page.locator("#rows tr", has_text="eu-west-2")).to_have_count(1)
    expect(page.get_by_label("Search")).to_have_value("192.0.2.1")
    expect(page.get_by_role("checkbox", name="Select 192.0.2.10", exact=True)).to_be_checked()


def open_zone(page: Page, zone: Zone) -> None:
    page.goto(f"/ui/zones/{zone.id}")
    page.locator("#mappings[data-ready]").wait_for(state="attached")


def drag(page: Page, target: Locator, file: Path) -> None:
    """Drag a file from outside the window, and drop it on an element."""
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    assert box is not None
    cdp = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(file)], "dragOperationsMask": 1}
    place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    for kind in ("dragEnter", "dragOver", "drop"):
        cdp.send("Input.dispatchDragEvent", {"type": kind, **place, "data": data})

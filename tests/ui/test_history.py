"""The history of a zone and of a mapping: who, when, what; comparing revisions, rolling back."""

import pytest
from playwright.sync_api import Page, expect

from tests.ui import keyboard
from tests.ui.zone import Zone


@pytest.fixture
def changed(zone: Zone) -> Zone:
    """A zone with two mappings, of which one has been changed since."""
    zone.put({"192.0.2.1": "us-east-1", "192.0.2.2": "us-east-1"})
    zone.put({"192.0.2.1": "eu-west-1"})
    return zone


def test_the_history_says_who_changed_what(page: Page, changed: Zone) -> None:
    page.goto(f"/ui/zones/{changed.id}")
    page.get_by_role("link", name="History", exact=True).first.click()
    newest = page.locator("tbody tr").first
    for fact in ("dev", "127.0.0.1", "192.0.2.1", "aws us-east-1", "aws eu-west-1", "UTC"):
        expect(newest).to_contain_text(fact)


def test_the_history_of_one_mapping_has_its_changes_only(plain: Page, changed: Zone) -> None:
    plain.goto(f"/ui/zones/{changed.id}")
    plain.get_by_role("link", name="History of 192.0.2.1").click()
    expect(plain.locator("tbody tr")).to_have_count(2)
    plain.goto(f"/ui/zones/{changed.id}/history?ip=nonsense")
    expect(plain.get_by_role("alert")).to_be_visible()


def test_two_revisions_are_compared_side_by_side(plain: Page, changed: Zone) -> None:
    plain.goto(f"/ui/zones/{changed.id}/history")
    before = int(plain.locator("tbody th").first.inner_text()) - 1
    plain.get_by_label("Compare revision").fill(str(before))
    plain.get_by_role("button", name="Compare").click()
    rows = plain.locator("tbody tr")
    expect(rows).to_have_count(1)
    for fact in ("192.0.2.1", "us-east-1", "eu-west-1"):
        expect(rows.first).to_contain_text(fact)


def test_a_rollback_is_previewed_and_done(page: Page, changed: Zone) -> None:
    page.goto(f"/ui/zones/{changed.id}/history")
    page.get_by_role("link", name="To before").first.click()
    expect(page.get_by_text("1 to change")).to_be_visible()
    assert changed.read()["192.0.2.1"] == "eu-west-1"
    page.get_by_role("button", name="Roll back 1 mapping").click()
    expect(page.get_by_role("status").first).to_contain_text("1 mapping changed")
    assert changed.read()["192.0.2.1"] == "us-east-1"


def test_a_rollback_is_done_with_the_keyboard_alone(page: Page, changed: Zone) -> None:
    page.goto(f"/ui/zones/{changed.id}/history")
    keyboard.press(page, page.get_by_role("link", name="To before").first)
    keyboard.press(page, page.get_by_role("button", name="Roll back 1 mapping"))
    expect(page.get_by_role("status").first).to_contain_text("1 mapping changed")
    assert changed.read()["192.0.2.1"] == "us-east-1"


def test_a_rollback_whose_preview_is_outdated_is_not_done(plain: Page, changed: Zone) -> None:
    plain.goto(f"/ui/zones/{changed.id}/history")
    plain.get_by_role("link", name="To before").first.click()
    changed.put({"192.0.2.2": "sa-east-1"})
    plain.get_by_role("button", name="Roll back 1 mapping").click()
    expect(plain.get_by_role("alert")).to_contain_text("has changed since the preview")
    assert changed.read() == {"192.0.2.1": "eu-west-1", "192.0.2.2": "sa-east-1"}

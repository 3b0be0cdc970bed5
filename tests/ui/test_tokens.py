"""Tokens, the audit log and the API reference."""

import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.ui import keyboard
from tests.ui.zone import Zone

VERIFY = "/client/v4/user/tokens/verify"


def test_a_token_is_created_used_and_revoked(page: Page, api: httpx.Client, zone: Zone) -> None:
    page.goto("/ui/tokens")
    page.get_by_label("Name", exact=True).fill("from the page")
    page.get_by_role("radio", name="write:").check()
    page.get_by_label("Zones", exact=True).fill(zone.name)
    page.get_by_role("button", name="Create the token").click()
    secret = page.get_by_label("Secret", exact=True).input_value()
    bearer = {"Authorization": f"Bearer {secret}"}
    assert api.get(VERIFY, headers=bearer).status_code == 200
    row = page.locator("tbody tr", has_text="from the page")
    expect(row).to_contain_text(zone.name)
    page.goto("/ui/tokens")
    assert secret not in page.content()
    page.get_by_role("link", name="Revoke from the page").click()
    page.get_by_role("button", name="Revoke the token").click()
    expect(page.get_by_role("status").first).to_contain_text("revoked")
    assert api.get(VERIFY, headers=bearer).status_code in (401, 403)


def test_a_token_is_created_and_revoked_with_the_keyboard_alone(page: Page) -> None:
    page.goto("/ui/tokens")
    keyboard.write(page, page.get_by_label("Name", exact=True), "by keyboard")
    first = page.get_by_role("radio").first
    keyboard.press(page, first, "Space")
    keyboard.write(page, page.get_by_label("Zones", exact=True), "all")
    keyboard.press(page, page.get_by_role("button", name="Create the token"))
    expect(page.get_by_label("Secret", exact=True)).to_be_visible()
    keyboard.press(page, page.get_by_role("link", name="Revoke by keyboard"))
    keyboard.press(page, page.get_by_role("button", name="Revoke the token"))
    expect(page.get_by_role("status").first).to_contain_text("revoked")


@pytest.mark.parametrize(("access", "zones"), [("read", ""), ("write", "no.such.zone.example")])
def test_a_token_that_cannot_be_made_is_refused_in_words(
    plain: Page, access: str, zones: str
) -> None:
    plain.goto("/ui/tokens")
    plain.get_by_label("Name", exact=True).fill("impossible")
    plain.get_by_role("radio", name=f"{access}:").check()
    plain.get_by_label("Zones", exact=True).fill(zones)
    plain.get_by_role("button", name="Create the token").click()
    expect(plain.get_by_role("alert")).to_be_visible()
    expect(plain.get_by_label("Name", exact=True)).to_have_value("impossible")


def test_the_audit_log_has_a_change_and_is_filtered(plain: Page, zone: Zone) -> None:
    zone.put({"192.0.2.1": "us-east-1"})
    plain.goto("/ui/audit")
    plain.get_by_label("Zone").fill(zone.name)
    plain.get_by_role("button", name="Filter").click()
    rows = plain.locator("tbody tr")
    expect(rows.filter(has_text="192.0.2.1").first).to_contain_text("user@example.com")
    plain.get_by_label("Action").select_option("delete")
    plain.get_by_role("button", name="Filter").click()
    expect(rows.filter(has_text="192.0.2.1")).to_have_count(0)


def test_the_reference_has_every_operation_of_the_document(plain: Page, api: httpx.Client) -> None:
    document = api.get("/originmap/v1/openapi.json").json()
    methods = {"get", "put", "post", "patch", "delete"}
    found = [
        path[method] for path in document["paths"].values() for method in methods & path.keys()
    ]
    plain.goto("/ui/reference")
    links = plain.locator("main a[href^='/ui/reference/']")
    assert links.count() >= len(found)
    plain.get_by_label("Search").fill("whatif")
    plain.get_by_role("button", name="Search").click()
    plain.get_by_role("link", name=re.compile("topology change", re.IGNORECASE)).click()
    expect(plain.locator("main")).to_contain_text("/originmap/v1/whatif")
    expect(plain.locator("main code", has_text="states").first).to_be_visible()
    expect(plain.locator("main")).not_to_contain_text("<code>")

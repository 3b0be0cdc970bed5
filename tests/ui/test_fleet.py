"""The fleet: nodes with what they serve, and the steps of a rollout."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.process import BEARER, Server
from tests.ui import furnished, keyboard
from tests.ui.furnished import send
from tests.ui.zone import Zone

ROLLOUT = "/originmap/v1/rollout"


@pytest.fixture(scope="module")
def fleet_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with nodes, as the tests of appearance have it."""
    with furnished.started(tmp_path_factory.mktemp("fleet")) as server:
        yield server


@pytest.fixture(scope="module")
def base_url(fleet_server: Server) -> str:
    return fleet_server.url


@pytest.fixture
def api(fleet_server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=fleet_server.url, headers=BEARER) as api:
        yield api


@pytest.fixture(autouse=True)
def running(api: httpx.Client) -> Iterator[None]:
    """A rollout of which the first stage is released; it ends with the test."""
    now = send(api, "GET", ROLLOUT)
    if now["state"] != "running":
        send(api, "POST", ROLLOUT, {"step": "hold"})
        zone = Zone(api, furnished.ZONE, "")
        zone.put({"203.0.113.1": "us-east-2"})
        zone.put({"203.0.113.1": "us-west-2"})
        send(api, "POST", ROLLOUT, {"step": "start", "stages": "AMS,50%,100%"})
    yield
    if send(api, "GET", ROLLOUT)["state"] != "done":
        send(api, "POST", ROLLOUT, {"step": "finish"})


def test_every_node_is_shown_with_what_it_serves(plain: Page, api: httpx.Client) -> None:
    plain.goto("/ui/fleet")
    base = send(api, "GET", ROLLOUT)["base"]
    for name, colo, _, serves, problem in furnished.NODES:
        row = plain.locator("#nodes tbody tr", has_text=name)
        for fact in (colo, serves, problem):
            expect(row).to_contain_text(fact)
    expect(plain.locator("#nodes tbody tr", has_text="fra-1")).to_contain_text(f"{base:,}")
    expect(plain.locator("#nodes tbody tr").first).to_contain_text("iad-2")


def test_a_rollout_is_advanced_paused_resumed_and_aborted(page: Page, api: httpx.Client) -> None:
    page.goto("/ui/fleet")
    page.get_by_role("button", name="Advance to stage 2").click()
    expect(page.locator("#rollout tbody tr").nth(1)).to_contain_text("yes")
    page.get_by_label("Reason").fill("errors in AMS")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#rollout")).to_contain_text("paused: errors in AMS")
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("#rollout")).to_contain_text("running")
    page.get_by_label("Reason").fill("not today")
    page.get_by_role("button", name="Abort").click()
    expect(page.locator("#rollout")).to_contain_text("aborted: not today")
    assert send(api, "GET", ROLLOUT)["why"] == "not today"


def test_a_rollout_is_finished_held_and_started_without_javascript(
    plain: Page, api: httpx.Client
) -> None:
    plain.goto("/ui/fleet")
    plain.get_by_role("button", name="Finish").click()
    assert send(api, "GET", ROLLOUT)["state"] == "done"
    plain.get_by_role("button", name="Hold every node").click()
    assert send(api, "GET", ROLLOUT)["state"] == "held"
    plain.get_by_label("Stages").fill("nowhere")
    plain.get_by_role("button", name="Start a rollout").click()
    expect(plain.get_by_role("alert")).to_contain_text("nowhere", ignore_case=True)


def test_a_rollout_is_advanced_and_aborted_with_the_keyboard_alone(
    page: Page, api: httpx.Client
) -> None:
    page.goto("/ui/fleet")
    keyboard.press(page, page.get_by_role("button", name="Advance to stage 2"))
    expect(page.locator("#rollout tbody tr").nth(1)).to_contain_text("yes")
    keyboard.write(page, page.get_by_label("Reason"), "by keyboard")
    keyboard.press(page, page.get_by_role("button", name="Abort"))
    expect(page.locator("#rollout")).to_contain_text("aborted: by keyboard")


def test_a_step_of_an_outdated_page_is_refused_in_words(page: Page, api: httpx.Client) -> None:
    page.goto("/ui/fleet")
    stages = page.get_by_role("button", name="Advance to stage 2")
    expect(stages).to_be_visible()
    page.evaluate("for (const each of document.querySelectorAll('[data-live]')) each.id += 'x'")
    send(api, "POST", ROLLOUT, {"step": "advance"})
    stages.click()
    expect(page.get_by_role("alert")).to_be_visible()


def test_reports_of_nodes_appear_without_a_reload(page: Page, api: httpx.Client) -> None:
    page.goto("/ui/fleet")
    page.get_by_label("Reason").fill("being written")
    report = {"revision": 1, "applied": 1, "colo": "SYD", "problem": "disk full"}
    send(api, "PUT", "/originmap/v1/followers/syd-1", report)
    row = page.locator("#nodes tbody tr", has_text="syd-1")
    expect(row).to_contain_text("disk full")
    expect(page.get_by_label("Reason")).to_have_value("being written")


def test_a_filter_finds_nodes_by_name_or_colo(plain: Page) -> None:
    plain.goto("/ui/fleet")
    plain.get_by_label("Name or colo contains").fill("iad")
    plain.get_by_role("button", name="Show").click()
    expect(plain.locator("#nodes tbody tr")).to_have_count(2)

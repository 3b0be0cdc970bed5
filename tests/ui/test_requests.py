"""The requests of a development server: as they arrive, with faults and a reset."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.process import BEARER, ZONE, Server
from tests.ui import keyboard

PATH = f"/client/v4/zones/{ZONE}/origin/cloud_regions/192.0.2.1"
BODY = {"origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"}


@pytest.fixture(scope="module")
def development(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that these tests may reset."""
    with Server(":memory:", tmp_path_factory.mktemp("development")) as server:
        yield server


@pytest.fixture(scope="module")
def base_url(development: Server) -> str:
    return development.url


@pytest.fixture
def api(development: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=development.url, headers=BEARER) as api:
        api.post("/originmap/dev/v1/reset").raise_for_status()
        yield api


def test_a_request_appears_with_what_its_answer_rests_on(page: Page, api: httpx.Client) -> None:
    page.goto("/ui/requests")
    api.put(PATH, json=BODY | {"commment": "misspelled"})
    row = page.locator("#requests tr", has_text="put_mapping").first
    for fact in ("PUT", PATH, "200", "P-PUT-1", "commment"):
        expect(row).to_contain_text(fact)
    api.get("/client/v4/no/such/path")
    expect(page.locator("#requests tr", has_text="/no/such/path").first).to_contain_text("400")


def test_requests_of_the_page_itself_are_not_listed(page: Page, api: httpx.Client) -> None:
    for path in ("/ui/", "/ui/zones", f"/ui/zones/{ZONE}", "/ui/requests"):
        page.goto(path)
    api.get(PATH)
    expect(page.locator("#requests tr[data-number]")).to_have_count(1)


def test_a_fault_is_added_and_strikes(page: Page, api: httpx.Client) -> None:
    page.goto("/ui/requests")
    page.get_by_text("Faults").click()
    page.get_by_label("Operation").fill("put_mapping")
    page.get_by_label("Status").fill("503")
    page.get_by_role("button", name="Add the fault").click()
    expect(page.get_by_text("The fault waits")).to_be_visible()
    assert api.put(PATH, json=BODY).status_code == 503
    assert api.put(PATH, json=BODY).status_code == 200
    expect(page.locator("#requests tr", has_text="fault").first).to_contain_text("503")


def test_a_wrong_fault_is_refused_in_words(plain: Page, api: httpx.Client) -> None:
    plain.goto("/ui/requests")
    plain.get_by_text("Faults").click()
    plain.get_by_label("Times").fill("many")
    plain.get_by_role("button", name="Add the fault").click()
    expect(plain.get_by_role("alert")).to_be_visible()


def test_the_server_is_reset_with_the_keyboard_alone(page: Page, api: httpx.Client) -> None:
    api.put(PATH, json=BODY).raise_for_status()
    page.goto("/ui/requests")
    keyboard.press(page, page.get_by_role("button", name="Reset the server"))
    expect(page.get_by_role("status").first).to_contain_text("as after its start")
    assert api.get(PATH).status_code == 404

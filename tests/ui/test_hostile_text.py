"""Text that tries to be a script, in every field that a user can set, stays text on every page."""

from collections.abc import Iterator
from urllib.parse import quote, urlencode

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.process import BEARER, Server
from tests.process import ZONE as DEV_ZONE
from tests.ui import browser
from tests.ui.furnished import send
from tests.ui.zone import Zone

MARK = "xss"
TEXTS = (
    "<img src=x onerror=\"document.title='xss'\">",
    "\"'><script>document.title='xss'</script>",
    "</script><svg onload=document.title='xss'>",
    "{{ 7 * 7 }}${7*7}<b>x</b>",
    "javascript:document.title='xss'",
    "‮evil\u0007\n\r\t",
)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with hostile text wherever a user can put text."""
    with Server(":memory:", tmp_path_factory.mktemp("hostile")) as server:
        with httpx.Client(base_url=server.url, headers=BEARER) as api:
            fill(api)
        yield server


@pytest.fixture(scope="module")
def page(chromium: Browser, hostile: Server) -> Iterator[Page]:
    """One page for all tests, which only read; its scripts have no errors."""
    with browser.window(chromium, hostile.url) as context, browser.watched(context) as page:
        yield page


def fill(api: httpx.Client) -> None:
    """Put hostile text into every field that takes any text; the others refuse it."""
    state = api.get("/originmap/dev/v1/state").json()
    state["accounts"][0]["name"] = TEXTS[0]
    state["zones"][0] |= {"unicode_name": TEXTS[1], "vanity_name_servers": list(TEXTS)}
    send(api, "PUT", "/originmap/dev/v1/state", state)
    topology = api.get("/originmap/v1/topology").json()["result"]
    for colo, text in zip(topology["colos"], TEXTS, strict=False):
        colo["city"] = text
    send(api, "PUT", "/originmap/v1/topology", topology)
    for text in TEXTS:
        send(api, "POST", "/originmap/v1/tokens", {"name": text, "access": "read"})
        make_requests(api, text)
    for number, text in enumerate(TEXTS):
        report = {"revision": 1, "serves": text, "applied": 1, "problem": text, "colo": "FRA"}
        send(api, "PUT", f"/originmap/v1/followers/node-{number}", report)
    send(api, "POST", "/originmap/v1/rollout", {"step": "hold"})
    Zone(api, DEV_ZONE, "").put({"192.0.2.1": "us-west-2"})
    send(api, "POST", "/originmap/v1/rollout", {"step": "start", "stages": "FRA,100%"})
    send(api, "POST", "/originmap/v1/rollout", {"step": "pause", "why": TEXTS[0]})


def make_requests(api: httpx.Client, text: str) -> None:
    """Requests with a hostile text in each of their parts; most are refused."""
    headers = {"User-Agent": visible(text), "CF-Ray": visible(text)}
    mapping = {"origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1", text: text}
    path = f"{Zone(api, DEV_ZONE, '').mappings}/192.0.2.1"
    assert api.put(path, json=mapping, headers=headers).status_code == 200
    api.put(path, json={**mapping, "region": text}, headers=headers)
    api.post("/client/v4/zones", json={"name": text}, headers=headers)
    api.get("/client/v4/" + quote(text, safe=""), params={"q": text}, headers=headers)


def visible(text: str) -> str:
    """The characters of a text that a header can have."""
    return "".join(character for character in text if " " <= character <= "~")


PAGES = (
    "/ui/",
    "/ui/zones",
    f"/ui/zones/{DEV_ZONE}",
    f"/ui/zones/{DEV_ZONE}/history",
    "/ui/fleet",
    "/ui/tokens",
    "/ui/audit",
    "/ui/reference",
    "/ui/requests",
)


@pytest.mark.parametrize("path", PAGES)
def test_hostile_text_stays_text(page: Page, path: str) -> None:
    answer = page.goto(path)
    assert answer is not None
    assert answer.status == 200
    page.wait_for_load_state("load")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    check(page)


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
@pytest.mark.parametrize("path", [f"/ui/zones/{DEV_ZONE}", "/ui/", "/ui/audit", "/ui/zones"])
def test_hostile_text_in_the_address_stays_text(page: Page, path: str, text: str) -> None:
    fields = ("q", "search", "vendor", "region", "zone", "next", "page", "error", "state")
    page.goto(path + "?" + urlencode(dict.fromkeys(fields, text)))
    check(page)
    page.goto(f"{path.rstrip('/')}/{quote(text, safe='')}")
    check(page)


def check(page: Page) -> None:
    """No text has become a title, an element or an attribute."""
    assert page.title() != MARK
    assert page.locator("img[src=x], svg[onload], main b, [onerror], [onload]").count() == 0
    assert page.locator("a[href^='javascript:' i]").count() == 0
    assert "49" not in page.title()

"""Text that tries to be a script, in every field that a user can set, stays text on every page."""

from collections.abc import Iterator
from urllib.parse import quote, urlencode

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.process import BEARER, Server
from tests.process import ZONE as DEV_ZONE
from tests.ui.zone import account

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
def base_url(hostile: Server) -> str:
    return hostile.url


def fill(api: httpx.Client) -> None:
    """Put hostile text into every field that takes any text; others refuse it."""
    owner = account(api)
    for text in TEXTS[:3]:
        api.post("/client/v4/accounts", json={"name": text[:80]})
        api.post("/originmap/v1/tokens", json={"name": text, "access": "read"})
        api.post("/client/v4/zones", json={"name": text, "account": {"id": owner}})
    zones = [f"zone{number}.example.com" for number in range(2)]
    for name in zones:
        made = api.post("/client/v4/zones", json={"name": name, "account": {"id": owner}}).json()
        vanity = {"vanity_name_servers": list(TEXTS[:2])}
        api.patch(f"/client/v4/zones/{made['result']['id']}", json=vanity)
    for text in TEXTS:
        headers = {"User-Agent": visible(text), "CF-Ray": visible(text)}
        mapping = {"origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1", text: text}
        path = f"/client/v4/zones/{DEV_ZONE}/origin/cloud_regions/192.0.2.1"
        api.put(path, json=mapping, headers=headers)
        api.put(path, json={**mapping, "region": text}, headers=headers)
        api.get("/client/v4/" + quote(text, safe=""), params={"q": text}, headers=headers)
    topology = api.get("/originmap/v1/topology").json()["result"]
    for colo, text in zip(topology["colos"], TEXTS, strict=False):
        colo["city"] = text
    api.put("/originmap/v1/topology", json=topology)
    for number, text in enumerate(TEXTS):
        report = {"revision": 1, "serves": text, "applied": 1, "problem": text, "colo": "FRA"}
        api.put(f"/originmap/v1/followers/node-{number}", json=report)
    api.post("/originmap/v1/rollout", json={"step": "hold"})
    api.put(path, json={"origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-west-2"})
    api.post("/originmap/v1/rollout", json={"step": "start", "stages": "node-0,100%"})
    api.post("/originmap/v1/rollout", json={"step": "pause", "why": TEXTS[0]})


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
    assert MARK not in page.title()
    assert page.locator("img[src=x], svg[onload], main b, [onerror], [onload]").count() == 0
    assert page.locator("a[href^='javascript:' i]").count() == 0
    assert "49" not in page.title()

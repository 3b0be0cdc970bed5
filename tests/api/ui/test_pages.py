"""Zones, tokens, the audit log and the API reference without JavaScript; hostile text in them."""

import re
import subprocess
import sys

import pytest

from originmap import bootstrap
from originmap.api.native.openapi import document
from originmap.api.ui.openapi_reader import read_reference
from tests.api.application import BEARER, ZONE_URL
from tests.api.ui.conftest import ZONE, Visitor, words

PREVIEW = "/map/preview?to=draining&colo=IAD"
HOSTILE = "<script>alert(1)</script>\"'&{{7777*7777}}"


async def test_zones_are_searched_by_name(operator: Visitor) -> None:
    assert "3 zones" in words(await operator.get("/zones"))
    found = words(await operator.get("/zones?q=example.org"))
    assert ("1 zone " in found, "example.com" in found) == (True, False)
    assert "No zone has “nothing” in its name" in words(await operator.get("/zones?q=nothing"))


async def test_a_token_is_created_with_its_secret_shown_once(operator: Visitor) -> None:
    await operator.get("/tokens")
    made = await operator.post("/tokens", name="deploy", access="write", zones="example.com")
    secret = made.text.partition('id="secret"')[2].partition('value="')[2].partition('"')[0]
    assert len(secret) == 40
    again = await operator.get("/tokens")
    assert "deploy write example.com" in words(again)
    assert secret not in again.text
    await operator.post("/sign-out")
    await operator.sign_in(secret)
    assert "example.com" in words(await operator.get("/zones"))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"access": "write", "zones": ""}, "Name the zones of the token, or enter all."),
        ({"access": "write", "zones": "all", "colo": "SIN"}, "cannot be limited to a colo"),
        ({"access": "everything", "zones": "example.com"}, "cannot be limited to zones"),
        ({"access": "write", "zones": "nowhere.example"}, "One of the zones does not exist."),
    ],
)
async def test_a_token_that_cannot_be_is_refused_in_words(
    operator: Visitor, fields: dict[str, str], expected: str
) -> None:
    await operator.get("/tokens")
    page = await operator.post("/tokens", name="wrong", **fields)
    assert page.status_code >= 400
    assert expected in words(page)
    assert 'value="wrong"' in page.text


async def test_a_token_is_revoked_after_a_question(operator: Visitor) -> None:
    question = await operator.get("/tokens/zone/revoke")
    assert "you will be signed out" not in words(question)
    assert "The token is revoked" in words(await operator.post("/tokens/zone/revoke"))
    assert (await operator.get("/tokens/zone/revoke")).status_code == 404
    assert "you will be signed out" in words(await operator.get("/tokens/all/revoke"))
    assert "Sign in" in words(await operator.post("/tokens/all/revoke"))


async def test_a_reader_gets_no_tokens(reader: Visitor) -> None:
    page = await reader.get("/tokens")
    assert page.status_code == 403
    assert "Your token does not have the permission for this." in words(page)
    assert 'href="/ui/tokens"' not in page.text


async def test_the_audit_log_is_filtered(operator: Visitor) -> None:
    await operator.get(ZONE)
    await operator.post(f"{ZONE}/mappings", ip="198.51.100.1", place="gcp/us-east4")
    page = words(await operator.get("/audit"))
    added = "user@example.com 192.0.2.200 add origin cloud region 198.51.100.1 example.com"
    assert added in page
    assert added not in words(await operator.get("/audit?action=delete"))
    assert added in words(await operator.get("/audit?zone=example.com&address=192.0.2.200"))
    wrong = await operator.get("/audit?since=yesterday")
    assert (wrong.status_code, "must be a date or a time" in words(wrong)) == (400, True)
    assert (await operator.get(f"/audit?account={'9' * 32}")).status_code == 403


async def test_the_reference_has_every_operation(operator: Visitor) -> None:
    page = await operator.get("/reference")
    links = set(re.findall(r'href="/ui/reference/([^"]+)"', page.text))
    assert links == set(read_reference(document()).operations)
    for link in sorted(links):
        shown = await operator.get(f"/reference/{link}")
        assert shown.status_code == 200
        assert "Responses" in words(shown)
    found = words(await operator.get("/reference?q=roll back"))
    assert "/originmap/v1/zones/{zone}/rollback" in found
    assert (await operator.get("/reference/nothing")).status_code == 404


async def test_hostile_text_is_escaped(operator: Visitor) -> None:
    await operator.get("/tokens")
    name = HOSTILE[:100]
    pages = [await operator.post("/tokens", name=name, access="read", zones="all")]
    await operator.client.patch(
        ZONE_URL, json={"vanity_name_servers": ["ns1.example.com"]}, headers=BEARER
    )
    for path in ("/tokens", "/audit", f"{ZONE}/history", f"{ZONE}?q={HOSTILE}"):
        pages.append(await operator.get(path))
    pages.append(await operator.get(f"/zones?q={HOSTILE}"))
    pages.append(await operator.post(f"{ZONE}/plan", text=HOSTILE, place=""))
    pages.append(await operator.get(f"/{HOSTILE}"))
    for page in pages:
        assert "<script>alert" not in page.text
        assert "{{7777*7777}}" in page.text or "60481729" not in words(page)
    assert "&lt;script&gt;" in pages[1].text


async def test_the_page_of_requests_is_of_development_servers(operator: Visitor) -> None:
    page = await operator.get("/requests")
    assert page.status_code == 404
    assert "/ui/requests" not in page.text.partition("</header>")[0]


async def test_assets_are_kept_for_ever_and_compressed(
    opened: bootstrap.Opened, stranger: Visitor
) -> None:
    page = await stranger.get("/sign-in")
    (url,) = set(re.findall(r'href="(/ui/assets/[^"]+/style.css)"', page.text))
    headers = {"Accept-Encoding": "gzip"}
    found = await stranger.client.get(f"http://testserver{url}", headers=headers)
    assert "immutable" in found.headers["cache-control"]
    assert found.headers["content-encoding"] == "gzip"
    assert ":root" in found.text
    same = {"If-None-Match": found.headers["etag"]}
    again = await stranger.client.get(f"http://testserver{url}", headers=same)
    assert again.status_code == 304
    plain = await stranger.client.get(
        f"http://testserver{url}", headers={"Accept-Encoding": "identity"}
    )
    assert "content-encoding" not in plain.headers
    other = url.replace("style.css", "nothing.css"), "/ui/assets/0/style.css"
    for missing in other:
        assert (await stranger.client.get(f"http://testserver{missing}")).status_code == 404


def test_a_server_loads_no_templates_before_its_first_page() -> None:

    program = "import sys, originmap.bootstrap_server; sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


@pytest.mark.parametrize("path", ["/", PREVIEW, ZONE, "/fleet"])
async def test_a_page_asks_at_once_for_what_its_scripts_import(
    operator: Visitor, path: str
) -> None:
    page = (await operator.get(path)).text
    named = re.findall(r'(?:src|href)="/ui(/assets/[^"]+\.js)"', page)
    assert named
    for script in named:
        text = (await operator.get(script)).text
        folder = script.rpartition("/")[0]
        imported = re.findall(r'^import .* from "\./(.+)";$', text, re.MULTILINE)
        assert {f"{folder}/{name}" for name in imported} <= set(named), script

"""Sessions of the web page: who gets one, what it can do, and how it ends."""

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.ui.guarded import COOKIE, Guarded, sign_in
from tests.ui.zone import Zone


@pytest.fixture(scope="module")
def base_url(guarded: Guarded) -> str:
    """These tests are about the server that needs a token."""
    return guarded.url


@pytest.fixture
def zone(guarded: Guarded) -> Zone:
    return Zone.create_unique(guarded.api)


def test_a_token_signs_a_person_in_and_sign_out_ends_it(page: Page, guarded: Guarded) -> None:
    sign_in(page, guarded.token("write").secret)
    expect(page.get_by_role("navigation").first).to_be_visible()
    (cookie,) = page.context.cookies()
    assert cookie["name"] == COOKIE
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Strict"
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Token")).to_be_visible()
    status = httpx.get(f"{guarded.url}/ui/zones", cookies={COOKIE: cookie["value"]}).status_code
    assert status in (302, 303, 401), "the server has forgotten the session"


def test_the_secret_is_in_no_cookie_and_on_no_page(page: Page, guarded: Guarded) -> None:
    secret = guarded.token("write").secret
    sign_in(page, secret)
    page.goto("/ui/tokens")
    assert secret not in page.content()
    assert all(secret not in cookie["value"] for cookie in page.context.cookies())
    assert secret not in str(page.evaluate("JSON.stringify([localStorage, sessionStorage])"))


def test_a_wrong_token_is_refused_in_words(page: Page, guarded: Guarded) -> None:
    page.goto("/ui/")
    page.get_by_label("Token").fill("A" * 40)
    with page.expect_response(lambda response: response.request.method == "POST"):
        page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Token")).to_have_value("")
    assert page.context.cookies() == []


def test_a_session_ends_with_its_token(page: Page, guarded: Guarded) -> None:
    token = guarded.token("write")
    sign_in(page, token.secret)
    page.goto("/ui/zones")
    expect(page.get_by_role("heading", level=1)).to_have_text("Zones")
    guarded.revoke(token)
    page.goto("/ui/zones")
    expect(page.get_by_label("Token")).to_be_visible()


def test_a_read_token_sees_no_button_that_changes_something(
    page: Page, guarded: Guarded, zone: Zone
) -> None:
    zone.put({"192.0.2.1": "us-east-1"})
    sign_in(page, guarded.token("read").secret)
    for path in ("/ui/", f"/ui/zones/{zone.id}", "/ui/fleet"):
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        buttons = page.locator("form[method=post i]:not([action$='sign-out']) button")
        assert buttons.count() == 0, path
        for name in ("Delete", "Change", "Drain", "Abort", "Advance"):
            assert page.get_by_role("button", name=name).count() == 0, (path, name)


def test_a_read_token_is_refused_by_the_server_too(
    page: Page, guarded: Guarded, zone: Zone
) -> None:
    zone.put({"192.0.2.1": "us-east-1"})
    sign_in(page, guarded.token("read").secret)
    status = page.evaluate(
        """async ([path, csrf]) => (await fetch(path, {
            method: 'DELETE', headers: {'X-CSRF-Token': csrf}})).status""",
        [f"/ui/api{zone.mappings}/192.0.2.1", csrf_of(page)],
    )
    assert status == 403
    assert zone.read() == {"192.0.2.1": "us-east-1"}


def test_a_token_of_one_zone_sees_that_zone_only(page: Page, guarded: Guarded, zone: Zone) -> None:
    other = Zone.create_unique(guarded.api)
    other.put({"192.0.2.77": "us-east-1"})
    sign_in(page, guarded.token("write", zone.id).secret)
    page.goto("/ui/zones")
    expect(page.get_by_role("link", name=zone.name)).to_be_visible()
    assert other.name not in page.content()
    answer = page.goto(f"/ui/zones/{other.id}")
    assert answer is not None
    assert answer.status in (403, 404)
    assert "192.0.2.77" not in page.content()


@pytest.mark.parametrize("csrf", [None, "", "wrong", "é" * 10])
def test_a_write_without_the_csrf_token_is_refused(
    page: Page, guarded: Guarded, zone: Zone, csrf: str | None
) -> None:
    zone.put({"192.0.2.1": "us-east-1"})
    sign_in(page, guarded.token("everything").secret)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    (cookie,) = page.context.cookies()
    path = f"/ui/api{zone.mappings}/192.0.2.1"
    headers = {"Cookie": f"{COOKIE}={cookie['value']}"}
    if csrf is not None:
        headers["X-CSRF-Token"] = csrf  # type: ignore[assignment]
    sent = [(name.encode(), value.encode()) for name, value in headers.items()]
    assert httpx.delete(guarded.url + path, headers=sent).status_code == 403
    form = {} if csrf is None else {"csrf": csrf}
    out = httpx.post(f"{guarded.url}/ui/sign-out", data=form, headers={"Cookie": headers["Cookie"]})
    assert out.status_code == 403
    assert zone.read() == {"192.0.2.1": "us-east-1"}


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://attacker.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "null"},
    ],
    ids=str,
)
def test_a_write_from_another_site_is_refused(
    page: Page, guarded: Guarded, zone: Zone, headers: dict[str, str]
) -> None:
    zone.put({"192.0.2.1": "us-east-1"})
    sign_in(page, guarded.token("everything").secret)
    (cookie,) = page.context.cookies()
    sent = {"X-CSRF-Token": csrf_of(page), "Cookie": f"{COOKIE}={cookie['value']}"}
    url = f"{guarded.url}/ui/api{zone.mappings}/192.0.2.1"
    assert httpx.delete(url, headers=sent | headers).status_code == 403
    assert httpx.delete(url, headers=sent).status_code == 200


def test_a_session_is_no_credential_of_the_api(page: Page, guarded: Guarded) -> None:
    sign_in(page, guarded.token("everything").secret)
    status = page.evaluate("async () => (await fetch('/originmap/v1/topology')).status")
    assert status in (400, 401, 403)


def test_without_a_session_every_page_asks_for_the_token(guarded: Guarded) -> None:
    with httpx.Client(base_url=guarded.url) as http:
        for path in ("/ui/", "/ui/zones", "/ui/tokens", "/ui/audit", "/ui/fleet"):
            answer = http.get(path, headers={"Accept": "text/html"}, follow_redirects=True)
            assert 'name="token"' in answer.text, path
        assert http.get("/ui/api/originmap/v1/topology").status_code == 401


def csrf_of(page: Page) -> str:
    """The CSRF token of the session, as a form of the page has it."""
    return page.locator("input[name=csrf]").first.get_attribute("value") or ""

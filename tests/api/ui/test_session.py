"""Signing in, the session's cookie, CSRF tokens, and what ends a session."""

import asyncio

import pytest

from originmap import bootstrap
from originmap.api.ui.session import MOST_OF_A_TOKEN, MOST_SESSIONS, SESSION_SECONDS, PageSessions
from originmap.service import initial_data
from originmap.settings import Settings
from tests.api.application import client_of
from tests.api.ui.conftest import UI, Visitor, words

ZONE_PATH = f"/client/v4/zones/{initial_data.DEV_ID}/origin/cloud_regions"
HTML = {"Accept": "text/html,*/*"}


async def test_a_browser_is_led_from_the_root_to_the_form_and_back(stranger: Visitor) -> None:
    root = await stranger.client.get("http://testserver/", headers=HTML)
    assert (root.status_code, root.headers["location"]) == (302, "/ui/")
    page = await stranger.client.get(f"{UI}/zones?q=example")
    assert page.status_code == 303
    form = await stranger.client.get(f"http://testserver{page.headers['location']}")
    assert 'value="/ui/zones?q=example"' in form.text
    found = await stranger.post("/sign-in", token="secret-all", next="/ui/zones?q=example")
    assert "example.com" in words(found)


async def test_a_program_still_gets_json_at_the_root(stranger: Visitor) -> None:
    answer = await stranger.client.get("http://testserver/")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, 7003)


async def test_without_the_page_its_paths_have_no_route(opened: bootstrap.Opened) -> None:
    async with client_of(opened, HTML, settings=Settings(ui=False)) as client:
        for path in ("/", "/ui", "/ui/", "/ui/zones", "/ui/api/originmap/v1/topology"):
            answer = await client.get(f"http://testserver{path}")
            assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, 7003)


async def test_the_cookie_is_kept_from_scripts_and_other_sites(stranger: Visitor) -> None:
    data = {"token": "secret-all"}
    plain = await stranger.client.post(f"{UI}/sign-in", data=data)
    flags = plain.headers["set-cookie"].partition("; ")[2]
    assert flags == f"Path=/; Max-Age={SESSION_SECONDS}; HttpOnly; SameSite=Strict"
    by_https = {"Origin": "https://testserver"}
    secure = await stranger.client.post(f"{UI}/sign-in", data=data, headers=by_https)
    assert secure.headers["set-cookie"].endswith("; Secure")


@pytest.mark.parametrize("token", ["", "unknown", "with space", "ключ", "secret-expired"])
async def test_a_token_that_does_not_work_is_refused_in_words(
    stranger: Visitor, token: str
) -> None:
    answer = await stranger.sign_in(token)
    assert answer.status_code in (400, 401)
    assert "does not accept this token" in words(answer)
    assert "set-cookie" not in answer.headers


async def test_a_node_does_not_sign_in(stranger: Visitor) -> None:
    answer = await stranger.sign_in("secret-edge")
    assert answer.status_code == 403
    assert "of a node or a replica" in words(answer)


async def test_guesses_are_counted_as_failed_authentications(opened: bootstrap.Opened) -> None:
    async with client_of(opened, settings=Settings()) as client:
        headers = {"Authorization": "Bearer unknown"}
        url = "http://testserver/originmap/v1/topology"
        await asyncio.gather(*(client.get(url, headers=headers) for _ in range(100)))
        visitor = Visitor(client)
        answer = await visitor.sign_in("unknown")
        assert (answer.status_code, "Too many" in words(answer)) == (429, True)
        assert (await visitor.sign_in("secret-all")).status_code == 200


async def test_a_session_ends_with_its_token(opened: bootstrap.Opened, operator: Visitor) -> None:
    assert (await operator.get("/zones")).status_code == 200
    revoked = await operator.client.delete(
        "http://testserver/originmap/v1/tokens/all", headers={"Authorization": "Bearer secret-all"}
    )
    assert revoked.status_code == 200
    assert (await operator.get("/zones")).status_code == 303
    script = await operator.client.get(f"{UI}/api/originmap/v1/topology")
    assert (script.status_code, script.json()["errors"][0]["code"]) == (401, 10000)


async def test_signing_out_ends_the_session_on_the_server(operator: Visitor) -> None:
    await operator.get("/zones")
    cookie = operator.client.cookies["originmap_session"]
    assert "Sign in" in words(await operator.post("/sign-out"))
    headers = {"Cookie": f"originmap_session={cookie}"}
    answer = await operator.client.get(f"{UI}/zones", headers=headers)
    assert answer.status_code == 303


async def test_a_form_without_the_csrf_token_is_refused(operator: Visitor) -> None:
    await operator.get("/zones")
    for fields in ({}, {"csrf": "guess"}, {"csrf": ""}):
        answer = await operator.client.post(f"{UI}/sign-out", data=fields)
        assert answer.status_code == 403
    assert (await operator.get("/zones")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "http://evil"}],
)
async def test_a_form_of_another_site_is_refused(
    operator: Visitor, headers: dict[str, str]
) -> None:
    await operator.get("/zones")
    data = {"csrf": operator.csrf}
    answer = await operator.client.post(f"{UI}/sign-out", data=data, headers=headers)
    assert answer.status_code == 403


async def test_scripts_call_the_api_with_the_rights_of_the_session(reader: Visitor) -> None:
    await reader.get("/zones")
    url = f"{UI}/api/originmap/v1/topology"
    assert (await reader.client.get(url)).json()["success"]
    states = {"states": {"IAD": "draining"}}
    forged = await reader.client.patch(url, json=states)
    assert (forged.status_code, forged.json()["errors"][0]["code"]) == (403, 10403)
    refused = await reader.client.patch(url, json=states, headers={"X-CSRF-Token": reader.csrf})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (403, 10000)


async def test_a_script_without_a_session_is_told_so(stranger: Visitor) -> None:
    answer = await stranger.client.get(f"{UI}/api/originmap/v1/topology")
    assert answer.status_code == 401


async def test_a_stranger_sends_no_large_body(stranger: Visitor) -> None:
    answer = await stranger.client.post(f"{UI}/sign-in", content=b"x" * (17 << 10))
    assert answer.status_code == 413


async def test_a_body_that_is_too_large_for_the_api_is_refused(operator: Visitor) -> None:
    await operator.get("/zones")
    url = f"{UI}/api{ZONE_PATH}/batch"
    headers = {"X-CSRF-Token": operator.csrf}
    answer = await operator.client.put(url, content=b" " * (2 << 20), headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (413, 1146)


async def test_every_page_forbids_scripts_of_others_and_frames(stranger: Visitor) -> None:
    answer = await stranger.get("/sign-in")
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert {"default-src 'none'", "frame-ancestors 'none'"} <= set(policy.split("; "))
    assert answer.headers["cache-control"] == "no-store"


async def test_a_page_that_does_not_exist_says_so(operator: Visitor) -> None:
    answer = await operator.get("/nothing/here")
    assert answer.status_code == 404
    assert "There is no page /ui/nothing/here." in words(answer)


def test_the_oldest_session_makes_room() -> None:
    sessions = PageSessions(lambda: 0)
    _, first = sessions.start("token-0")
    for number in range(1, MOST_SESSIONS + 1):
        sessions.start(f"token-{number}")
    assert first.key not in sessions._sessions
    for _ in range(MOST_OF_A_TOKEN + 1):
        sessions.start("token-1")
    assert len(sessions._sessions) <= MOST_SESSIONS

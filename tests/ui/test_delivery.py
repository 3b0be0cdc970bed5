"""How the page is delivered: its headers, its weight, and what it costs when nobody opens it."""

import gzip
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, Response

from tests.process import BEARER, Server
from tests.ui.zone import Zone

HTML = {"Accept": "text/html,application/xhtml+xml"}
MOST_BYTES = 120 << 10
MOST_REQUESTS = 10


@pytest.fixture(scope="module")
def http(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url) as http:
        yield http


def test_a_browser_is_sent_to_the_page_and_an_api_client_is_not(http: httpx.Client) -> None:
    sent = http.get("/", headers=HTML)
    assert sent.status_code == 302
    assert sent.headers["Location"] == "/ui/"
    for accept in ({}, {"Accept": "*/*"}, {"Accept": "application/json"}):
        answer = http.get("/", headers=accept)
        assert answer.status_code == 404
        assert answer.json()["errors"][0]["code"] == 7003


def test_every_page_forbids_what_it_does_not_need(http: httpx.Client) -> None:
    for path in ("/ui/", "/ui/zones", "/ui/fleet", "/ui/tokens", "/ui/audit", "/ui/nothing-here"):
        headers = http.get(path, headers=HTML).headers
        policy = dict(
            part.strip().partition(" ")[::2]
            for part in headers["Content-Security-Policy"].split(";")
        )
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert policy["form-action"] == "'self'"
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] in ("no-referrer", "same-origin")
        assert "no-store" in headers["Cache-Control"]


def test_no_page_has_a_script_or_style_inside(http: httpx.Client) -> None:
    for path in ("/ui/", "/ui/zones", "/ui/fleet", "/ui/tokens", "/ui/audit"):
        text = http.get(path, headers=HTML).text
        assert "<style" not in text
        assert not re.search(r"<[^>]+\s(style|on[a-z]+)\s*=", text)
        scripts = re.findall(r"<script\b([^>]*)>", text)
        assert all(" src=" in script or "application/json" in script for script in scripts)


def test_the_first_page_is_light(page: Page, zone: Zone) -> None:
    zone.put({"192.0.2.1": "us-east-1"})
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto("/ui/", wait_until="load")
    page.wait_for_load_state("load")
    finite = [answer for answer in answers if answer.status == 200 and not streams(answer)]
    assert len(finite) <= MOST_REQUESTS, [answer.url for answer in answers]
    sizes = {answer.url: weight(answer) for answer in finite}
    assert sum(sizes.values()) <= MOST_BYTES, sizes


def test_assets_are_compressed_and_kept_by_browsers(http: httpx.Client) -> None:
    assets = set(re.findall(r'(?:src|href)="(/ui/assets/[^"]+)"', http.get("/ui/zones").text))
    assert len(assets) >= 2
    for path in assets:
        answer = http.get(path, headers={"Accept-Encoding": "gzip"})
        assert answer.status_code == 200, path
        assert "immutable" in answer.headers["Cache-Control"], path
        again = http.get(path, headers={"If-None-Match": answer.headers["ETag"]})
        assert again.status_code == 304, path
        if len(answer.content) > 2_000:
            assert answer.headers["Content-Encoding"] == "gzip", path


@pytest.mark.parametrize(
    "path",
    [
        "/ui/assets/../routes.py",
        "/ui/assets/%2e%2e/routes.py",
        "/ui/assets/..%2froutes.py",
        "/ui/assets//etc/passwd",
        "/ui/assets/nothing.js",
        "/ui/assets/%00",
    ],
)
def test_only_assets_are_served_as_assets(http: httpx.Client, path: str) -> None:
    request = http.build_request("GET", "/ui/")
    request.url = request.url.copy_with(raw_path=path.encode())
    assert http.send(request).status_code == 404


def test_no_ui_turns_the_page_off(tmp_path: Path) -> None:
    with Server(":memory:", tmp_path, args=["--no-ui"]) as server:
        for path in ("/", "/ui/", "/ui/zones", "/ui/assets/style.css"):
            assert httpx.get(server.url + path, headers=HTML).status_code == 404, path


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_server_loads_nothing_of_the_page_before_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Jinja2 needs MarkupSafe, whose library can be seen from outside."""
    monkeypatch.setattr(Server, "loaded", False)
    with Server(":memory:", tmp_path) as server:
        maps = Path(f"/proc/{server.process.pid}/maps")
        httpx.get(f"{server.api}/zones", headers=BEARER).raise_for_status()
        assert "markupsafe" not in maps.read_text()
        httpx.get(f"{server.url}/ui/zones").raise_for_status()
        assert "markupsafe" in maps.read_text()


def streams(answer: Response) -> bool:
    """Whether the answer is a stream that does not end."""
    return "event-stream" in answer.headers.get("content-type", "")


def weight(answer: Response) -> int:
    """The bytes of a body as they were sent."""
    length = answer.headers.get("content-length")
    return int(length) if length else len(gzip.compress(answer.body()))

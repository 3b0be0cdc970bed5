"""The page of the requests, and what a development server's page does otherwise than others."""

import re
from collections.abc import Iterator

import httpx
import pytest

from originmap.testing import Server
from tests.dev.conftest import Zone


@pytest.fixture
def browser(originmap: Server) -> Iterator[httpx.Client]:
    """A browser on this machine, which needs no sign-in."""
    headers = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
    with httpx.Client(base_url=originmap.url, headers=headers, follow_redirects=True) as client:
        yield client


def send(browser: httpx.Client, path: str, **fields: str) -> httpx.Response:
    page = browser.get("/ui/requests").text
    csrf = re.search(r'name="csrf" value="([^"]+)"', page)
    assert csrf is not None
    return browser.post(path, data={"csrf": csrf[1], **fields})


def test_a_visitor_of_this_machine_is_signed_in(browser: httpx.Client) -> None:
    page = browser.get("/ui/zones")
    assert (page.status_code, "example.com" in page.text) == (200, True)


def test_a_node_is_silent_by_the_clock_of_the_server(
    originmap: Server, browser: httpx.Client, zone: Zone
) -> None:
    originmap.freeze("2020-01-01T00:00:00Z")
    report = {"revision": 1, "applied": 1, "colo": "IAD"}
    answer = zone.http.put(f"{originmap.url}/originmap/v1/followers/iad-1", json=report)
    assert answer.status_code == 200
    assert "silent" not in browser.get("/ui/fleet").text
    originmap.advance(seconds=90)
    assert "1 silent" in browser.get("/ui/fleet").text


def test_requests_are_listed_with_their_basis_and_what_was_ignored(
    browser: httpx.Client, zone: Zone
) -> None:
    zone.put("192.0.2.1", colour="<b>red</b>")
    zone.http.get(f"{zone.path}?<script>=1", headers={"User-Agent": "<script>"})
    page = browser.get("/ui/requests").text
    assert page.count("data-number=") == 2, "the page lists its own requests"
    assert '<code class="warn">colour</code>' in page
    assert "published" in page
    assert "<script>=1" not in page
    assert "&lt;script&gt;" in page


def test_faults_are_added_and_removed(browser: httpx.Client, zone: Zone) -> None:
    page = send(browser, "/ui/requests/faults", operation="put_mapping", kind="fail", status="503")
    assert "The fault waits for requests." in page.text
    browser.get("/ui/zones/023e105f4ecef8ad9ca31a8372d0c353")
    assert zone.put("192.0.2.1").status_code == 503
    wrong = send(browser, "/ui/requests/faults", operation="put_mapping", kind="delay", when="x")
    assert (wrong.status_code, "a fault of kind delay has no when" in wrong.text) == (400, True)
    send(browser, "/ui/requests/faults", operation="put_mapping", kind="fail", status="503")
    assert "No fault waits" in send(browser, "/ui/requests/faults/remove").text
    assert zone.put("192.0.2.1").status_code == 200


def test_answers_that_handlers_share_get_no_headers_of_a_visitor(
    originmap: Server, browser: httpx.Client
) -> None:
    csrf = re.search(r'name="csrf" value="([^"]+)"', browser.get("/ui/requests").text)
    assert csrf is not None
    url = "/ui/api/originmap/dev/v1/faults"
    first = browser.delete(url, headers={"X-CSRF-Token": csrf[1]})
    second = browser.delete(url, headers={"X-CSRF-Token": csrf[1]})
    assert (first.status_code, len(first.headers.raw)) == (200, len(second.headers.raw))


def test_the_server_is_reset(browser: httpx.Client, zone: Zone) -> None:
    zone.put("192.0.2.1")
    assert "The list of requests is empty." in send(browser, "/ui/requests/clear").text
    assert zone.get("192.0.2.1").status_code == 200
    send(browser, "/ui/requests/reset")
    assert zone.get("192.0.2.1").status_code == 404

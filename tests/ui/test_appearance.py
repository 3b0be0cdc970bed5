"""How every page looks: in narrow and wide windows, in both themes, and to assistive technology."""

from collections.abc import Iterator
from typing import Literal

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page

from tests.process import BEARER, Server
from tests.ui import accessibility, furnished, screens
from tests.ui.browser import watched

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
WINDOWS = ((360, 740), (1920, 1080), (1280, 800))


@pytest.fixture(scope="module")
def furnished_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with furnished.started(tmp_path_factory.mktemp("furnished")) as server:
        yield server


@pytest.fixture(scope="module", params=furnished.PAGES)
def name(request: pytest.FixtureRequest) -> str:
    """Each page in turn, with all tests of it."""
    return str(request.param)


@pytest.fixture(scope="module")
def base_url(furnished_server: Server) -> str:
    return furnished_server.url


@pytest.fixture(scope="module")
def opened(shared: BrowserContext, furnished_server: Server, name: str) -> Iterator[Page]:
    """The page, loaded once for all tests of it."""
    with httpx.Client(base_url=furnished_server.url, headers=BEARER) as api:
        furnished.report(api)
        api.delete("/originmap/dev/v1/requests")
        furnished.report(api)
    with watched(shared) as page:
        page.emulate_media(reduced_motion="reduce")
        answer = page.goto(furnished.PAGES[name])
        assert answer is not None
        assert answer.status == 200
        if name == "map":
            page.locator("#map .land").wait_for(state="attached")
        yield page


def test_a_page_looks_as_before(opened: Page, name: str) -> None:
    for width, height in WINDOWS:
        opened.set_viewport_size({"width": width, "height": height})
        screens.check(opened, f"{width}/{name}")
    opened.emulate_media(color_scheme="dark")
    screens.check(opened, f"dark/{name}")


def test_a_page_keeps_nobody_out(opened: Page) -> None:
    for theme in THEMES:
        opened.emulate_media(color_scheme=theme)
        assert accessibility.violations(opened) == [], theme


def test_a_narrow_window_needs_no_sideways_scrolling(opened: Page) -> None:
    opened.set_viewport_size({"width": 360, "height": 740})
    too_wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert opened.evaluate(too_wide) <= 0


def test_a_page_has_landmarks_and_one_title(opened: Page) -> None:
    counts = opened.evaluate(
        """async selectors => {
            const text = await (await fetch(location.href)).text();
            const page = new DOMParser().parseFromString(text, 'text/html');
            return selectors.map(selector => page.querySelectorAll(selector).length);
        }""",
        ["h1", "main", "html[lang]", "table:not(:has(caption))", "th:not([scope])"],
    )
    assert counts == [1, 1, 1, 0, 0], "as the server sends it, before any script"

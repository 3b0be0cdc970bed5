"""How every page looks: in narrow and wide windows, in both themes, and to assistive technology."""

from collections.abc import Iterator
from typing import Literal

import httpx
import pytest
from playwright.sync_api import Page

from tests.process import BEARER, Server
from tests.ui import accessibility, furnished, screens

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
WINDOWS = ((360, 740), (1920, 1080), (1280, 800))


@pytest.fixture(scope="module")
def furnished_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with furnished.started(tmp_path_factory.mktemp("furnished")) as server:
        yield server


@pytest.fixture(scope="module")
def base_url(furnished_server: Server) -> str:
    return furnished_server.url


@pytest.mark.parametrize("name", furnished.PAGES)
def test_a_page_keeps_nobody_out(page: Page, name: str) -> None:
    open_page(page, name)
    for theme in THEMES:
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        assert accessibility.violations(page) == [], theme


@pytest.mark.parametrize("name", furnished.PAGES)
def test_a_page_looks_as_before(page: Page, furnished_server: Server, name: str) -> None:
    with httpx.Client(base_url=furnished_server.url, headers=BEARER) as api:
        furnished.report(api)  # or the nodes would be shown as silent on a slow machine
        api.delete("/originmap/dev/v1/requests")
        furnished.report(api)
    page.emulate_media(reduced_motion="reduce")
    for width, height in WINDOWS:
        page.set_viewport_size({"width": width, "height": height})
        open_page(page, name)
        screens.check(page, f"{width}/{name}")
    page.emulate_media(color_scheme="dark")
    screens.check(page, f"dark/{name}")


@pytest.mark.parametrize("name", furnished.PAGES)
def test_a_narrow_window_needs_no_sideways_scrolling(page: Page, name: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    open_page(page, name)
    too_wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(too_wide) <= 0


@pytest.mark.parametrize("name", furnished.PAGES)
def test_a_page_has_landmarks_and_one_title(plain: Page, name: str) -> None:
    open_page(plain, name)
    assert plain.locator("h1").count() == 1
    assert plain.locator("main").count() == 1
    assert plain.locator("html[lang]").count() == 1
    assert plain.locator("table:not(:has(caption))").count() == 0
    assert plain.locator("th:not([scope])").count() == 0


def open_page(page: Page, name: str) -> None:
    answer = page.goto(furnished.PAGES[name])
    assert answer is not None
    assert answer.status == 200
    page.wait_for_load_state("load")
    if name == "map":
        page.locator("#map .land, noscript").first.wait_for(state="attached")

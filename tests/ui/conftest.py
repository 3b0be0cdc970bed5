"""One browser and one server for all tests of the page; each test has its own zone and window."""

import os
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.process import BEARER, Server
from tests.ui import browser
from tests.ui.guarded import Guarded, started
from tests.ui.zone import Zone


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The browser. It ends with the tests of this package: its loop keeps asyncio from others."""
    if browser.executable() is None:
        assert "CI" not in os.environ, browser.HOW_TO_INSTALL
        pytest.skip(browser.HOW_TO_INSTALL)
    expect.set_options(timeout=browser.PATIENCE_MS)
    with browser.started() as chromium:
        yield chromium


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An `originmap dev` process that the tests share."""
    with Server(":memory:", tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="package")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """An `originmap serve` process that the tests share."""
    with started(tmp_path_factory.mktemp("guarded")) as guarded:
        yield guarded


@pytest.fixture(scope="module")
def base_url(server: Server) -> str:
    """The server of the pages; a test file may name another one."""
    return server.url


@pytest.fixture
def api(server: Server) -> Iterator[httpx.Client]:
    """The API of the shared server, for what a test prepares and checks."""
    with httpx.Client(base_url=server.url, headers=BEARER) as api:
        yield api


@pytest.fixture
def zone(api: httpx.Client) -> Zone:
    """A zone of the test's own, without mappings."""
    return Zone.create_unique(api)


@pytest.fixture
def context(chromium: Browser, base_url: str) -> Iterator[BrowserContext]:
    """A window without cookies."""
    context = chromium.new_context(base_url=base_url, viewport={"width": 1280, "height": 800})
    context.set_default_timeout(browser.PATIENCE_MS)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page; the test fails if something in it goes wrong without being seen."""
    page = context.new_page()
    complaints = browser.Complaints(page)
    yield page
    assert complaints.found == []


@pytest.fixture
def plain(chromium: Browser, base_url: str) -> Iterator[Page]:
    """A page without JavaScript."""
    context = chromium.new_context(base_url=base_url, java_script_enabled=False)
    context.set_default_timeout(browser.PATIENCE_MS)
    yield context.new_page()
    context.close()

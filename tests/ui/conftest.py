"""One browser and one server for all tests of the page; each test has its own zone and window."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.process import BEARER, COMMAND, Server
from tests.ui import browser
from tests.ui.guarded import Guarded, started
from tests.ui.zone import Zone

GCP_RANGES = Path(__file__).parents[1] / "detect" / "files" / "gcp.json"


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
    """An `originmap dev` process that the tests share, with the published ranges of a vendor."""
    folder = tmp_path_factory.mktemp("server")
    ranges = ["--ranges", str(folder / "ranges")]
    subprocess.run([COMMAND, "ranges", "import", str(GCP_RANGES), *ranges], check=True)
    with Server(":memory:", folder, args=ranges) as server:
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
def zone(api: httpx.Client) -> Iterator[Zone]:
    """A zone of the test's own, without mappings; gone after the test."""
    zone = Zone.create_unique(api)
    yield zone
    zone.delete()


@pytest.fixture(scope="module")
def shared(chromium: Browser, base_url: str) -> Iterator[BrowserContext]:
    """The window of the tests of a file."""
    with browser.window(chromium, base_url) as context:
        yield context


@pytest.fixture
def page(shared: BrowserContext) -> Iterator[Page]:
    """A page of someone who is not signed in; the test fails if something in it goes wrong without
    being seen."""
    with browser.watched(shared) as page:
        yield page
    shared.clear_cookies()


@pytest.fixture(scope="module")
def shared_plain(chromium: Browser, base_url: str) -> Iterator[BrowserContext]:
    """The window without JavaScript of the tests of a file."""
    with browser.window(chromium, base_url, java_script_enabled=False) as context:
        yield context


@pytest.fixture
def plain(shared_plain: BrowserContext) -> Iterator[Page]:
    """A page without JavaScript."""
    with shared_plain.new_page() as page:
        yield page
    shared_plain.clear_cookies()

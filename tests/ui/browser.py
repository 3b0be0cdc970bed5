"""Debian's Chromium, driven by Playwright; it speaks to loopback only.

Playwright comes without a browser of its own. `scripts/browser.sh` installs one.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
HOW_TO_INSTALL = "Chromium is not installed: sudo make browser"
FONTS = Path(__file__).with_name("fonts.conf")

# Same pixels on every machine, and no name is looked up.
ARGUMENTS = (
    "--disable-gpu",
    "--disable-lcd-text",
    "--font-render-hinting=none",
    "--force-color-profile=srgb",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)

REFUSED = "Failed to load resource: the server responded with a status of"
"""What the browser writes about a response that a test may expect."""

PATIENCE_MS = 15_000
"""How long a page may take for a step; a test machine may be busy."""


def executable() -> str | None:
    """The path of Chromium, or None if it is not installed."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@contextmanager
def started() -> Iterator[Browser]:
    """A running browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable(),
            args=list(ARGUMENTS),
            env={**os.environ, "FONTCONFIG_FILE": str(FONTS)},
        )
        yield browser
        browser.close()


class Complaints:
    """What goes wrong in a page without being seen: errors of scripts, refusals by the content
    security policy, failed requests, dialogs that an injected script opened."""

    def __init__(self, page: Page) -> None:
        self.found: list[str] = []
        page.on("pageerror", lambda error: self.found.append(f"script: {error}"))
        page.on("console", lambda message: self._read(message.type, message.text))
        page.on("request", lambda request: self._look_at(page, request.url))

    def _read(self, kind: str, text: str) -> None:
        if kind == "error" and not text.startswith(REFUSED):
            self.found.append(text)

    def _look_at(self, page: Page, url: str) -> None:
        if not url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            self.found.append(f"request to another host: {url}")


@contextmanager
def window(browser: Browser, url: str, **more: Any) -> Iterator[BrowserContext]:
    """A window without cookies; `more` as for Playwright. An answer of the server stays open in it:
    beside one, a page needs no new process of the browser."""
    size = more.pop("viewport", {"width": 1280, "height": 800})
    with browser.new_context(base_url=url, viewport=size, **more) as context:
        context.set_default_timeout(PATIENCE_MS)
        context.new_page().goto("/healthz")
        yield context


@contextmanager
def watched(context: BrowserContext) -> Iterator[Page]:
    """A page that fails if something in it goes wrong without being seen."""
    with context.new_page() as page:
        complaints = Complaints(page)
        yield page
    assert complaints.found == []

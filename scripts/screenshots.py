"""Takes the pictures of the web page in docs/images, from a server that it starts.

The data are those that the tests of the page's appearance use.
"""

import io
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

from tests.ui import browser, furnished

FOLDER = Path(__file__).parents[1] / "docs" / "images"
WINDOW = {"width": 1280, "height": 800}
COLOURS = 256


def main() -> None:
    """Write the pictures."""
    if not browser.executable():
        sys.exit(browser.HOW_TO_INSTALL)
    with (
        tempfile.TemporaryDirectory() as folder,
        furnished.started(Path(folder)) as server,
        browser.started() as chromium,
    ):
        page = chromium.new_page(base_url=server.url, viewport=WINDOW, reduced_motion="reduce")
        for name, show in PICTURES.items():
            show(page)
            save(page.screenshot(animations="disabled"), FOLDER / f"{name}.png")


def show_map(page: Page) -> None:
    """The map with its lines."""
    page.goto("/ui/")
    page.wait_for_selector("#map .land")


def show_drain(page: Page) -> None:
    """The preview of draining IAD."""
    page.goto("/ui/map/preview?to=draining&colo=IAD")
    page.wait_for_selector("#map .land")


def show_fleet(page: Page) -> None:
    """The nodes and the rollout."""
    page.goto("/ui/fleet")


PICTURES: dict[str, Callable[[Page], None]] = {
    "map": show_map,
    "drain": show_drain,
    "fleet": show_fleet,
}


def save(picture: bytes, path: Path) -> None:
    """Write a picture with few colours."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    main()

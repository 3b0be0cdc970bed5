"""Screenshots, compared with those in `screens/`.

Those of wide windows are kept at half their size, all with few colours: large enough to see what
moved, small enough to keep. The comparison tolerates what differs between machines, such as the
edges of letters. Write them again with `make screens`, and look at the difference.
"""

import io
import os
from pathlib import Path

from PIL import Image, ImageChops, ImageFilter
from playwright.sync_api import Page

FOLDER = Path(__file__).with_name("screens")
WRITE = "ORIGINMAP_WRITE_SCREENS"
"""The environment variable that makes a test write its screenshot instead of comparing it."""

WIDEST = 640
"""Pixels; wider pictures are halved."""
COLOURS = 64
NOTICEABLE = 48
"""A difference of brightness, of 255, that counts."""
MOST_DIFFERENT = 0.01
"""The largest share of pixels that may differ noticeably."""

SAME_TEXT = """() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode())
        node.data = node.data
            .replace(/\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d/g, '2026-03-01 12:00:00')
            .replace(/\\b[0-9a-f]{16,32}\\b/g, id => '0'.repeat(id.length));
}"""
"""Makes times and IDs the same in every run."""


def check(page: Page, name: str) -> None:
    """Compare what the page shows with the stored screenshot."""
    taken = Image.open(io.BytesIO(screenshot(page))).convert("RGB")
    if taken.width > WIDEST:
        taken = taken.resize((taken.width // 2, taken.height // 2), Image.Resampling.BOX)
    path = FOLDER / f"{name}.png"
    if os.environ.get(WRITE):
        path.parent.mkdir(parents=True, exist_ok=True)
        taken.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
        return
    assert path.exists(), f"no screenshot {path.name}: run make screens"
    share = difference(taken, Image.open(path).convert("RGB"))
    if share > MOST_DIFFERENT:
        seen = path.with_suffix(".seen.png")
        taken.save(seen)
        raise AssertionError(f"{share:.1%} of {name} differ: compare {path} with {seen}")


def screenshot(page: Page) -> bytes:
    """A PNG of the visible part, without what moves."""
    page.evaluate(SAME_TEXT)
    return page.screenshot(animations="disabled", caret="hide")


def difference(one: Image.Image, other: Image.Image) -> float:
    """The share of pixels that differ noticeably after a blur; 1 if the sizes differ."""
    if one.size != other.size:
        return 1.0
    blurred = [image.filter(ImageFilter.BoxBlur(2)) for image in (one, other)]
    counts = ImageChops.difference(*blurred).convert("L").histogram()
    return sum(counts[NOTICEABLE:]) / sum(counts)

"""Checks the built site: it needs no network, no link or anchor is broken, and search finds words.

The generator checks the links of the sources; this script checks the result, including the theme.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).parents[1] / "build" / "site"
LOADED = {("script", "src"), ("img", "src"), ("link", "href"), ("iframe", "src"), ("source", "src")}
SEARCHED = ("anycast", "rollout", "originmap", "postgresql")


class Page(HTMLParser):
    """The resources and links of a page, and its anchors."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record a tag's ID and its links."""
        for name, value in attrs:
            if name in ("id", "name") and value:
                self.anchors.add(value)
            elif (tag, name) in LOADED and value:
                self.loads.append(value)
            elif (tag, name) == ("a", "href") and value:
                self.links.append(value)


def problems(root: Path) -> list[str]:
    """The problems of the site, one per line."""
    pages = {path: Page(path) for path in sorted(root.rglob("*.html"))}
    found = [] if pages else [f"no pages in {root}"]
    for path, page in pages.items():
        where = path.relative_to(root)
        found += [f"{where} loads {url}" for url in page.loads if urlsplit(url).netloc]
        local = [url for url in page.links + page.loads if not urlsplit(url).scheme]
        found += [
            f"{where} links to {url}" for url in local if not leads_somewhere(path, url, pages)
        ]
    found += [
        f"{path.relative_to(root)} loads a resource from another server"
        for path in root.rglob("*.css")
        if "url(http" in path.read_text("utf-8") or "@import" in path.read_text("utf-8")
    ]
    index = root / "searchindex.js"
    words = index.read_text("utf-8") if index.exists() else ""
    return found + [f"the search index lacks {word}" for word in SEARCHED if word not in words]


def leads_somewhere(path: Path, url: str, pages: dict[Path, Page]) -> bool:
    """Whether a link of a page leads to a file, and to an anchor in it."""
    parts = urlsplit(url)
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not target.exists():
        return False
    return not parts.fragment or target not in pages or parts.fragment in pages[target].anchors


if __name__ == "__main__":
    sys.exit("\n".join(problems(ROOT)) or None)

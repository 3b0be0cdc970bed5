"""axe-core, which finds what keeps people from using a page."""

from pathlib import Path

from playwright.sync_api import Page

from tests import npm

FOLDER = Path(__file__).with_name("axe")
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


def violations(page: Page) -> list[str]:
    """What axe finds in the page as it is now, a line for each element."""
    page.evaluate(source())
    found = page.evaluate(
        "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", list(RULES)
    )
    return [
        f"{violation['id']}: {violation['help']}: {node['html'][:200]}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


def source() -> str:
    """The script of axe, as locked."""
    return (npm.install(FOLDER) / "axe-core" / "axe.min.js").read_text("utf-8")

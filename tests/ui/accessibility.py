"""axe-core, which finds what keeps people from using a page."""

from pathlib import Path

from playwright.sync_api import Page

from tests import npm

FOLDER = Path(__file__).with_name("axe")
MARK_ON_MAP = "leaflet-marker-icon"
"""WCAG 2.5.8 excepts targets whose place is essential, such as on a map, and those that have an
equivalent: the table beside the map."""
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


_RUN = """rules => {
    const alike = new Map();
    for (const row of document.querySelectorAll('tbody tr')) {
        const made = [row, ...row.querySelectorAll('*')]
            .map(each => [each.tagName, each.className, each.getAttributeNames()]).join();
        alike.set(made, [...alike.get(made) ?? [], row]);
    }
    const exclude = [...alike.values()].flatMap(rows => rows.slice(2));
    const context = exclude.length ? {include: [document], exclude} : document;
    return axe.run(context, {runOnly: rules, resultTypes: ['violations']});
}"""
"""Of rows that are built alike, axe looks at two: a hundred more would say the same."""


def violations(page: Page) -> list[str]:
    """What axe finds in the page as it is now, a line for each element."""
    page.evaluate(source())
    found = page.evaluate(_RUN, list(RULES))
    return [
        f"{violation['id']}: {violation['help']}: {node['html'][:200]}"
        for violation in found["violations"]
        for node in violation["nodes"]
        if not (violation["id"] == "target-size" and MARK_ON_MAP in node["html"])
    ]


def source() -> str:
    """The script of axe, as locked."""
    return (npm.install(FOLDER) / "axe-core" / "axe.min.js").read_text("utf-8")

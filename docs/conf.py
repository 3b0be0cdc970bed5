"""The documentation site: its pages, in the order of its menu. `make site` builds it.

The source folder is the repository, so that pages link to each other, and to files, as they do on
a forge. A page that is in no section is a warning, and warnings are errors. Why Sphinx:
docs/decisions/0016-documentation-site.md.
"""

from pathlib import Path

from sphinx.application import Sphinx

project = "Originmap"
html_title = "Originmap"
extensions = ["myst_parser", "sphinx_copybutton"]
html_theme = "furo"
root_doc = "README"
include_patterns = ["*.md", "docs/**", "bench/README.md", "examples/README.md"]
exclude_patterns = ["build", ".venv", "docs/conf.py"]
nitpicky = True
smartquotes = False
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
myst_heading_anchors = 6
copybutton_prompt_text = r"\$ |> "
copybutton_prompt_is_regexp = True

SECTIONS = {
    "Guides": [
        "docs/README",
        "docs/guides/first-ten-minutes",
        "docs/guides/testing-against-originmap",
        "docs/guides/mappings-in-git",
        "docs/guides/feeding-nginx",
        "docs/guides/several-caches",
        "docs/guides/production",
        "docs/guides/monitoring",
        "docs/guides/running-a-replica",
        "docs/guides/first-rollout",
        "docs/guides/why-an-origin-fills-from",
    ],
    "Reference": [
        "docs/cli",
        "docs/cli-output",
        "docs/settings",
        "docs/api",
        "docs/testing",
        "docs/testing-other-languages",
        "examples/README",
        "docs/errors",
        "docs/conformance",
        "docs/verify",
        "docs/catalogue",
        "docs/topology",
        "docs/mappings-as-code",
        "docs/proxy",
        "docs/dashboard",
        "docs/exports",
        "docs/edge",
        "docs/envoy",
        "docs/rollout",
        "docs/replicas",
        "docs/nats",
        "docs/webhooks",
        "docs/detection",
    ],
    "Operation": [
        "docs/operations",
        "docs/container",
        "docs/platforms",
        "docs/metrics",
        "docs/scale",
        "docs/performance",
        "bench/README",
        "SECURITY",
    ],
    "Design": ["docs/ARCHITECTURE", "CONTRIBUTING", "CHANGELOG"],
    "Decisions": ["docs/decisions/*"],
}


def add_menu(app: Sphinx, name: str, source: list[str]) -> None:
    """Give the first page its table of contents, which a forge would show as text."""
    if name == root_doc:
        for caption, pages in SECTIONS.items():
            body = "\n".join(pages)
            source[0] += f"\n```{{toctree}}\n:hidden:\n:glob:\n:caption: {caption}\n\n{body}\n```\n"


def add_index(app: Sphinx, error: Exception | None) -> None:
    """Lead from index.html, which servers and readers look for, to the first page."""
    if error is None:
        (Path(app.outdir) / "index.html").write_text(
            '<!doctype html><html lang="en"><title>Originmap</title>'
            f'<meta http-equiv="refresh" content="0; url={root_doc}.html">'
            f'<a href="{root_doc}.html">Originmap</a></html>\n',
            "utf-8",
        )


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", add_menu)
    app.connect("build-finished", add_index)

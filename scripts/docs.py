"""Writes the generated parts of the documentation: commands, settings, errors, metrics and checks.

Each generated part of a page is between two comments, `begin generated: NAME` and `end generated:
NAME`; the rest is written by hand. Run it after every change: make docs-generate
"""

import re
from collections.abc import Callable
from pathlib import Path

from scripts.reference import checks, commands, environment, errors, metrics

DOCS = Path(__file__).parents[1] / "docs"

Parts = dict[str, Callable[[], str]]

PAGES: dict[str, Parts] = {
    "cli.md": {
        "commands": commands.command_list,
        "general options": commands.general_options,
        "server options": commands.server_options,
        "reference": commands.reference,
    },
    "settings.md": {
        "settings": environment.settings,
        "variables": environment.variables,
    },
    "errors.md": {"errors": errors.tables},
    "metrics.md": {"metrics": metrics.metrics},
    "verify.md": {"checks": checks.check_table, "untried": checks.untried_table},
}


def main() -> None:
    """Write all pages."""
    for name in PAGES:
        (DOCS / name).write_text(generate(name), "utf-8")


def generate(name: str) -> str:
    """A page with its generated parts updated."""
    text = (DOCS / name).read_text("utf-8")
    for part, written in PAGES[name].items():
        begin, end = f"<!-- begin generated: {part} -->", f"<!-- end generated: {part} -->"
        pattern = re.compile(f"{re.escape(begin)}.*{re.escape(end)}", re.DOTALL)
        before, *others = pattern.split(text)
        if len(others) != 1:
            raise SystemExit(f"docs/{name}: {part} must occur exactly once, between its comments")
        text = f"{before}{begin}\n\n{written().strip()}\n\n{end}{others[0]}"
    return text


if __name__ == "__main__":
    main()

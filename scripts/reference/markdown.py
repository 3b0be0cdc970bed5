"""Converts help texts and tables to Markdown.

Help texts are plain text. Options, variables, commands and pages in them become code or links;
Markdown's special characters are escaped.
"""

import re
from collections.abc import Callable, Iterable, Sequence

Inline = Callable[[str], str]


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table with a row of headings."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "".join(f"| {' | '.join(line)} |\n".replace("|  |", "| |") for line in lines)


def code(text: str) -> str:
    """A code span."""
    return f"`{text}`"


def inline_of(commands: Iterable[str], page: str) -> Inline:
    """A function that converts help text to Markdown for `page`; `commands` are full names."""
    longest_first = sorted(commands, key=len, reverse=True)
    named = "|".join(map(re.escape, longest_first))
    pattern = re.compile(
        rf"(?P<command>\b(?:{named})\b)"
        r"|docs/(?P<file>[\w-]+\.md)(?P<anchor>#[\w-]+)?"
        r"|(?P<code>`[^`]+`|(?<![\w-])--[a-z][a-z0-9-]*|\b[A-Z]+_[A-Z0-9_]+\b"
        r"|\b\w{30,}\b|\b\w+@\w[\w.]*\w|\bhttps?://(?![ .])[\w:@./-]*\w|\bpostgresql://|:memory:)"
        r"|(?P<markup>[*<|])"
    )

    def markdown(match: re.Match[str]) -> str:
        if command := match["command"]:
            where = "" if page == "cli.md" else "cli.md"
            return f"[`{command}`]({where}#{command.replace(' ', '-')})"
        if file := match["file"]:
            anchor = match["anchor"] or ""
            return f"[{file}]({'' if file == page and anchor else file}{anchor})"
        if span := match["code"]:
            return span if span.startswith("`") else code(span)
        return f"\\{match['markup']}"

    return lambda text: pattern.sub(markdown, text)

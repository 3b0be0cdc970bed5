"""Layout and language of the project, as far as a script can check them."""

import ast
import functools
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.house.source import ROOT, files_of, nodes_of

SOURCE = ROOT / "src" / "originmap"
MOST_FILES = 20
SHORTEST_FILE = 15
MODULES = files_of(".py", SOURCE)
BESIDE = [ROOT / "bench", ROOT / "scripts", ROOT / "tests"]
FOLDERS = sorted({path.parent for path in files_of("", SOURCE, *BESIDE)})
OTHERS = files_of(".py", *BESIDE)
PAGES = [*files_of(".md", ROOT / "docs"), ROOT / "README.md", ROOT / "CHANGELOG.md"]


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_a_folder_has_few_files() -> None:
    full = [
        shown(folder)
        for folder in FOLDERS
        if sum(path.is_file() for path in folder.iterdir()) > MOST_FILES
    ]
    assert full == []


def test_no_module_is_too_short() -> None:
    short = [
        shown(path)
        for path in MODULES
        if not path.name.startswith("__") and len(path.read_text().splitlines()) < SHORTEST_FILE
    ]
    assert short == []


def test_a_class_name_has_one_meaning() -> None:
    names = Counter(
        node.name
        for path in MODULES
        for node in nodes_of(path)
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [name for name, count in names.items() if count > 1] == []


@functools.cache
def prose(path: Path) -> str:
    """The prose of a file: docstrings, comments and messages of code; pages without their code."""
    text = path.read_text("utf-8")
    if path.suffix != ".py":
        return re.sub(r"^```.*?^```|^    .*?$|`[^`\n]*`", "", text, flags=re.M | re.S)
    strings = [
        node.value
        for node in nodes_of(path)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value
    ]
    comments = re.findall(r"(?<!\S)# (.*)", text)
    return "\n".join(s for s in (*strings, *comments) if not re.search(r"\b(SELECT|WHERE)\b", s))


def counted(pattern: str, paths: Sequence[Path] = (*MODULES, *PAGES)) -> list[str]:
    return [
        f"{shown(path)}: {match[0]}"
        for path in paths
        for match in re.finditer(pattern, prose(path))
    ]


def test_some_words_are_not_used() -> None:
    assert counted(r"(?i)\b(?:shall|whoever)\b", (*MODULES, *PAGES, *OTHERS)) == []


def test_no_docstring_only_refers_to_another() -> None:
    assert counted(r"(?:^|\n)As `") == []


def test_the_word_where_is_not_a_conditional() -> None:
    """ "where" as a conditional: "where there is none", "where it is given"."""
    found = counted(r"(?i)\bwhere (?:there|it|that|one|none|they|nobody|he|a|an|the|no)\b[^?\n]*")
    assert len(found) < 20, found

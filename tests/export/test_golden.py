"""Every file of every format, for several nodes, as it was when it was last looked at.

After a change that is meant: python -m tests.export.test_golden, and read the difference.
"""

from pathlib import Path

import pytest

from originmap.export.format import File
from originmap.export.formats import FORMATS
from tests.export.samples import export, node

GOLDEN = Path(__file__).with_name("golden")
NODES = {
    "edge": node("SIN"),
    "upper": node("IAD"),
    "no-colo": node(None),
    "no-zones": node("SIN", zones=()),
}
FILES = [
    (which, known.name, file)
    for which, made_for in NODES.items()
    for known in FORMATS
    for file in known.all(made_for)
]


def path_of(format_name: str, file: File, which: str) -> Path:
    return GOLDEN / which / format_name / file.name


@pytest.mark.parametrize(
    ("which", "name", "file"), FILES, ids=lambda value: getattr(value, "name", value)
)
def test_a_file_equals_the_golden_file(which: str, name: str, file: File) -> None:
    assert export(file, NODES[which]) == path_of(name, file, which).read_bytes()


def test_every_golden_file_is_generated() -> None:
    wanted = {path_of(name, file, which) for which, name, file in FILES}
    assert {path for path in GOLDEN.rglob("*") if path.is_file()} == wanted


def write() -> None:
    """Write what is made now."""
    for which, name, file in FILES:
        path = path_of(name, file, which)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(export(file, NODES[which]))


if __name__ == "__main__":
    write()

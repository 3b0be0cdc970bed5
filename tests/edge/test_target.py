"""What one cache is left with when a step fails."""

import hashlib
from pathlib import Path

import pytest

from originmap.edge.command import parse
from originmap.edge.errors import CannotWrite, CommandFailed
from originmap.edge.record import Record
from originmap.edge.renderer import Rendered
from originmap.edge.switch import new_of
from originmap.edge.target import Duty, Outcome, Target
from originmap.export.formats import format_called

ENVIRONMENT = {"PATH": "/usr/bin:/bin"}


def target(folder: Path, check: str) -> Target:
    duty = Duty(format_called("json"), folder / "file", (parse(check),))
    return Target(duty, None, Record(folder / "record.json"), ENVIRONMENT)


def apply(to: Target, revision: int, content: str) -> Outcome:
    """Have it serve this content."""
    (path,) = to.files
    new_of(path).write_text(content)
    digest = hashlib.sha256(content.encode()).hexdigest()
    rendered = Rendered("epoch", revision, {new_of(path): digest}, None)
    return to.apply(rendered, compare=False)


def test_what_could_not_be_put_back_is_put_back_before_anything_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert apply(target(tmp_path, "true"), 1, "good") is Outcome.WRITTEN
    # The first check leaves a folder in the place, to which no file can be renamed.
    once = tmp_path / "once"
    spoil = f"test -e {once} || (touch {once}; rm {path}; mkdir {path}); false"
    fails = target(tmp_path, f'sh -c "{spoil}"')
    with pytest.raises(CannotWrite):
        apply(fails, 2, "bad")
    path.rmdir()
    with pytest.raises(CommandFailed):
        apply(fails, 3, "bad too")
    assert path.read_text() == "good"

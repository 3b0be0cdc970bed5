"""The files of a cache after a failed step."""

import hashlib
from pathlib import Path

import pytest

from originmap.edge.command import parse
from originmap.edge.errors import CannotWrite, CommandFailed
from originmap.edge.record import ApplyRecord
from originmap.edge.renderer import Rendered
from originmap.edge.switch import new_of
from originmap.edge.target import ApplyOutcome, Duty, Target
from originmap.export.formats import format_called
from originmap.export.node import Node
from tests.export.samples import export, node

ENVIRONMENT = {"PATH": "/usr/bin:/bin"}


def target(folder: Path, check: str) -> Target:
    duty = Duty(format_called("json"), folder / "file", (parse(check),))
    return Target(duty, None, ApplyRecord(folder / "record.json"), ENVIRONMENT)


def apply(to: Target, revision: int, content: str) -> ApplyOutcome:
    """Make the cache serve this content."""
    (path,) = to.duty.places
    new_of(path).write_text(content)
    digest = hashlib.sha256(content.encode()).hexdigest()
    rendered = Rendered("epoch", 0, revision, node(), {new_of(path): digest}, None)
    return to.apply(rendered, compare=False)


def test_a_failed_restore_is_repeated_before_the_next_update(tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert apply(target(tmp_path, "true"), 1, "good") is ApplyOutcome.WRITTEN
    # The first check leaves a folder at the path, over which no file can be renamed.
    once = tmp_path / "once"
    spoil = f"test -e {once} || (touch {once}; rm {path}; mkdir {path}); false"
    fails = target(tmp_path, f'sh -c "{spoil}"')
    with pytest.raises(CannotWrite):
        apply(fails, 2, "bad")
    path.rmdir()
    with pytest.raises(CommandFailed):
        apply(fails, 3, "bad too")
    assert path.read_text() == "good"


def test_a_symbolic_link_is_followed_and_stays(tmp_path: Path) -> None:
    file, link = tmp_path / "elsewhere" / "file", tmp_path / "file"
    link.symlink_to(file)
    file.parent.mkdir()
    assert apply(target(tmp_path, "true"), 1, "good") is ApplyOutcome.WRITTEN
    with pytest.raises(CommandFailed):
        apply(target(tmp_path, "false"), 2, "bad")
    assert apply(target(tmp_path, "true"), 3, "good") is ApplyOutcome.SAME
    assert (link.is_symlink(), file.read_text()) == (True, "good")
    assert [path.name for path in file.parent.iterdir()] == ["file"]


def test_a_loop_of_links_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").symlink_to(tmp_path / "file")
    with pytest.raises(CannotWrite, match="symbolic links"):
        apply(target(tmp_path, "true"), 1, "good")


def test_a_manager_that_cannot_be_woken_causes_no_second_reload(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    duty = Duty(
        format_called("json"),
        tmp_path / "file",
        reloads=(parse("true"),),
        manager=tmp_path / "manager.lock",
    )
    done = ApplyRecord(tmp_path / "record.json")
    assert apply(Target(duty, None, done, ENVIRONMENT), 1, "good") is ApplyOutcome.RELOADED
    assert done.state.loaded
    assert "the reload can take up to five seconds" in caplog.text


def test_a_file_that_is_no_longer_rendered_stays(tmp_path: Path) -> None:
    record = ApplyRecord(tmp_path / "record.json")
    to = Target(Duty(format_called("envoy"), tmp_path / "envoy"), None, record, ENVIRONMENT)
    in_sin, in_nrt = node("SIN"), node("NRT")
    file = tmp_path / "envoy" / "eds" / "originmap_nrt_fra.json"
    assert apply_all(to, in_sin) is ApplyOutcome.WRITTEN
    before = file.read_bytes()
    assert apply_all(to, in_nrt) is ApplyOutcome.WRITTEN
    assert file.read_bytes() == before
    assert str(file) not in record.state.files

    assert apply_all(to, in_sin) is ApplyOutcome.WRITTEN
    new_of(file).write_text("broken off")
    to.recover()
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def apply_all(to: Target, made_for: Node) -> ApplyOutcome:
    """Make the cache serve the files of a node."""
    digests = {}
    for path, file in to.duty.files(made_for).items():
        content = export(file, made_for)
        path.parent.mkdir(parents=True, exist_ok=True)
        new_of(path).write_bytes(content)
        digests[new_of(path)] = hashlib.sha256(content).hexdigest()
    return to.apply(Rendered("epoch", 0, 1, made_for, digests, None), compare=False)

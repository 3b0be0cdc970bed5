"""Spare copies that cannot be used, or cannot be made."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from originmap.edge.disk import mark_of
from originmap.edge.render.spare import SMALLEST, Spares, spare_of

CONTENT = b"x" * SMALLEST


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    return path


def prepared(file: Path) -> Spares:
    spares = Spares()
    spares.prepare({file: mark_of(file)})
    return spares


def take(spares: Spares, file: Path) -> bytes | None:
    """The content of the spare copy that is taken."""
    taken = spares.take(file, mark_of(file), file.with_name("new"))
    if taken is None:
        return None
    with taken:
        return taken.read()


def test_a_copy_is_taken_once(file: Path) -> None:
    spares = prepared(file)
    assert spare_of(file).stat().st_ino != file.stat().st_ino
    assert [take(spares, file), take(spares, file)] == [CONTENT, None]
    assert file.with_name("new").exists()


def test_a_small_file_has_none(file: Path) -> None:
    file.write_bytes(CONTENT[1:])
    assert take(prepared(file), file) is None
    assert not spare_of(file).exists()


def test_a_file_that_changed_has_none_until_it_is_copied_again(file: Path) -> None:
    spares = prepared(file)
    file.write_bytes(CONTENT + b"more")
    assert take(spares, file) is None
    spares.prepare({file: mark_of(file)})
    assert take(spares, file) == CONTENT + b"more"


def test_a_copy_that_another_program_changed_is_not_used(file: Path) -> None:
    spares = prepared(file)
    with spare_of(file).open("ab") as copy:
        copy.write(b"stray")
    assert take(spares, file) is None


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_a_link_to_another_file_is_not_written(
    file: Path, link: Callable[[Path, Path], None]
) -> None:
    spares, other = prepared(file), file.with_name("other")
    other.write_bytes(CONTENT)
    spare_of(file).unlink()
    link(other, spare_of(file))
    assert take(spares, file) is None
    assert other.read_bytes() == CONTENT


def test_a_removed_copy_is_not_missed(file: Path) -> None:
    spares = prepared(file)
    spare_of(file).unlink()
    assert take(spares, file) is None


def test_a_copy_that_cannot_be_made_is_reported_once(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spare_of(file).mkdir()
    spares = prepared(file)
    spares.prepare({file: mark_of(file)})
    assert [record.message for record in caplog.records] == ["no spare copy; changes take longer"]
    assert take(spares, file) is None
    spare_of(file).rmdir()
    spares.prepare({file: mark_of(file)})
    assert take(spares, file) == CONTENT


def test_all_copies_are_removed(file: Path) -> None:
    prepared(file).discard()
    assert [path.name for path in file.parent.iterdir()] == ["file"]

"""Files are replaced as a whole, through links, and only if the content changes."""

import contextlib
import os
from pathlib import Path

import pytest

from originmap.atomic_file import replace_file, replacing
from originmap.cli.api_options import write_out
from originmap.mapfile.errors import UnusableFile


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_link_is_kept_and_its_target_is_replaced(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").write_text("old")
    link = tmp_path / "link"
    link.symlink_to("elsewhere/file")
    replace_file(link, [b"ne", b"w"])
    assert (link.is_symlink(), (elsewhere / "file").read_text()) == (True, "new")
    assert (names(tmp_path), names(elsewhere)) == (["elsewhere", "link"], ["file"])


def test_the_missing_target_of_a_link_is_created(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "file")
    write_out(link, ["new"])
    assert (link.is_symlink(), (tmp_path / "file").read_text()) == (True, "new")


def test_a_cycle_of_links_is_refused(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(link)
    with pytest.raises(UnusableFile, match="Too many levels of symbolic links"):
        write_out(link, ["new"])
    assert link.is_symlink()


def test_an_error_names_the_option_of_the_file(tmp_path: Path) -> None:
    for option in ("--out", "--report"):
        with pytest.raises(UnusableFile) as caught:
            write_out(tmp_path / "missing" / "x.json", ["new"], option)
        assert caught.value.hint == f"give {option} a path that this user may write"


def test_a_path_that_is_not_a_regular_file_is_unchanged(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for place in (tmp_path / "pipe", tmp_path / "folder", Path("/dev/null")):
        with pytest.raises(UnusableFile, match="not a regular file"):
            write_out(place, ["new"])
    assert names(tmp_path) == ["folder", "pipe"]
    assert Path("/dev/null").is_char_device()


def test_an_unchanged_file_is_not_rewritten(tmp_path: Path) -> None:
    file = tmp_path / "file"
    replace_file(file, [b"same"], 0o600)
    before = file.stat()
    replace_file(file, [b"same"], 0o600)
    assert (file.stat().st_ino, file.stat().st_ctime_ns) == (before.st_ino, before.st_ctime_ns)
    replace_file(file, [b"same"], 0o644)
    assert file.stat().st_mode & 0o777 == 0o644
    replace_file(file, [b"other"])
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("other", 0o644)


def test_an_interrupted_write_leaves_the_file_unchanged(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("old")
    with contextlib.suppress(ValueError), replacing(file) as new:
        new.write(b"half")
        raise ValueError
    assert (file.read_text(), names(tmp_path)) == ("old", ["file"])

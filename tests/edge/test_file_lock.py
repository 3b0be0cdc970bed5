"""Two agents cannot use the same file."""

import os
from pathlib import Path

import pytest

from originmap.edge.errors import FileTaken
from originmap.edge.file_lock import locked


def test_the_error_of_a_second_agent_names_the_file_and_the_process_of_the_first(
    tmp_path: Path,
) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    link.symlink_to(file)
    with locked([tmp_path / "other", file]):
        with pytest.raises(FileTaken) as refused, locked([link]):
            pass
        assert str(refused.value) == f"another agent (process {os.getpid()}) writes {file}"
        with locked([tmp_path / "a third"]):
            pass
    with locked([file]):
        pass


def test_no_lock_is_held_if_one_of_several_is_taken(tmp_path: Path) -> None:
    with (
        locked([tmp_path / "b"]),
        pytest.raises(FileTaken),
        locked([tmp_path / "a", tmp_path / "b"]),
    ):
        pass
    with locked([tmp_path / "a"]):
        pass

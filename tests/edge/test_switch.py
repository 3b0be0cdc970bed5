"""Files are replaced together or restored together, at any interruption."""

import contextlib
from pathlib import Path

import msgspec
import pytest

from originmap.edge.errors import CannotWrite
from originmap.edge.record import AppliedState, ApplyRecord
from originmap.edge.switch import FileSwitch, new_of, previous_of


class PowerCut(BaseException):
    """Simulates a power failure."""


class CutRecord(ApplyRecord):
    """A record with a power failure after the nth save."""

    left = 1_000

    def save(self, state: AppliedState) -> None:
        super().save(state)
        self.left -= 1
        if not self.left:
            raise PowerCut


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    """Two existing files and one new file, with new content for all three."""
    paths = [tmp_path / "one", tmp_path / "two", tmp_path / "three"]
    for path in paths[:2]:
        path.write_text("old")
    for path in paths:
        new_of(path).write_text("new")
    return paths


def contents(paths: list[Path]) -> list[str]:
    return [path.read_text() if path.exists() else "" for path in paths]


def names(paths: list[Path]) -> set[str]:
    return {path.name for path in paths[0].parent.iterdir()} - {"record.json"}


def test_a_committed_switch_leaves_only_the_new_files(paths: list[Path], tmp_path: Path) -> None:
    switch = FileSwitch(ApplyRecord(tmp_path / "record.json"))
    switch.install(paths)
    switch.commit(dict.fromkeys(map(str, paths), ""))
    assert contents(paths) == ["new", "new", "new"]
    switch.clean()
    assert names(paths) == {"one", "two", "three"}


def test_a_restored_switch_leaves_only_the_old_files(paths: list[Path], tmp_path: Path) -> None:
    switch = FileSwitch(ApplyRecord(tmp_path / "record.json"))
    switch.install(paths)
    switch.restore()
    assert contents(paths) == ["old", "old", ""]
    assert names(paths) == {"one", "two"}


def test_a_crash_before_the_commit_restores_the_old_files(
    paths: list[Path], tmp_path: Path
) -> None:
    FileSwitch(ApplyRecord(tmp_path / "record.json")).install(paths)
    assert FileSwitch(ApplyRecord(tmp_path / "record.json")).recover() == paths
    assert contents(paths) == ["old", "old", ""]


@pytest.mark.parametrize("switched", range(4))
def test_a_crash_between_the_renames_restores_the_old_files(
    paths: list[Path], tmp_path: Path, switched: int
) -> None:
    record = ApplyRecord(tmp_path / "record.json")
    record.save(AppliedState(pending={str(path): path.exists() for path in paths}))
    for path in paths[:2]:
        previous_of(path).hardlink_to(path)
    for path in paths[:switched]:
        new_of(path).replace(path)
    FileSwitch(ApplyRecord(tmp_path / "record.json")).recover()
    assert contents(paths) == ["old", "old", ""]
    assert not any(previous_of(path).exists() for path in paths)


@pytest.mark.parametrize(("writes", "expected"), [(1, ["old", "old", ""]), (2, ["new"] * 3)])
def test_the_last_saved_record_decides(
    paths: list[Path], tmp_path: Path, writes: int, expected: list[str]
) -> None:
    record = CutRecord(tmp_path / "record.json")
    record.left = writes
    switch = FileSwitch(record)
    with contextlib.suppress(PowerCut):
        switch.install(paths)
        switch.commit({str(path): "digest" for path in paths})
    FileSwitch(ApplyRecord(tmp_path / "record.json")).recover()
    assert contents(paths) == expected


def test_backups_left_by_an_earlier_crash_are_not_restored(
    paths: list[Path], tmp_path: Path
) -> None:
    record = CutRecord(tmp_path / "record.json")
    switch = FileSwitch(record)
    for cut_after in (2, 1):  # directly after one switch, and directly after the next one has begun
        record.left = cut_after
        with contextlib.suppress(PowerCut):
            switch.install(paths)
            switch.commit({})
        for path in paths:
            new_of(path).write_text("newer")
    FileSwitch(ApplyRecord(tmp_path / "record.json")).recover()
    assert contents(paths) == ["new", "new", "new"]


def test_a_missing_folder_leaves_the_record_unchanged(tmp_path: Path) -> None:
    switch = FileSwitch(ApplyRecord(tmp_path / "record.json"))
    with pytest.raises(CannotWrite):
        switch.install([tmp_path / "nowhere" / "file"])
    assert ApplyRecord(tmp_path / "record.json").state == AppliedState()


def test_a_damaged_record_is_treated_as_empty(tmp_path: Path) -> None:
    (tmp_path / "record.json").write_bytes(b'{"revision":"\xff"')
    assert ApplyRecord(tmp_path / "record.json").state == AppliedState()


def test_only_the_owner_can_read_a_record(tmp_path: Path) -> None:
    record = ApplyRecord(tmp_path / "record.json")
    record.save(msgspec.structs.replace(record.state, revision=7))
    assert (tmp_path / "record.json").stat().st_mode & 0o777 == 0o600
    assert ApplyRecord(tmp_path / "record.json").state.revision == 7

"""Each cache's checker accepts our files and rejects damaged ones."""

import json
import os
import re
import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from originmap.edge import checker as checkers
from originmap.edge.errors import CheckerMissing, CommandFailed
from originmap.export import free_space
from originmap.export.formats import format_called
from originmap.export.free_space import spaced
from originmap.settings import command_environment
from tests.caches.programs.cache import found
from tests.export.samples import export, node
from tests.export.test_golden import SHARED_FORMATS

GOLDEN = Path(__file__).parents[1] / "export" / "golden"
PATH = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
ENVIRONMENT = command_environment({"PATH": PATH})
PROGRAMS = {
    "nginx": "nginx",
    "haproxy": "haproxy",
    "varnish": "varnishd",
    "trafficserver": "traffic_server",
    "envoy": "envoy",
}

NAMES = re.compile(rb"[a-z0-9-]+(?:\.cache)?\.example\.net")
SHARED = ("shared", "shared-upper")
"""Nodes of colos with several caches."""

Damage = Callable[[bytes], bytes]


def cut_off(content: bytes) -> bytes:
    return content[: len(content) * 2 // 3]


def with_nonsense(content: bytes) -> bytes:
    return content + b"\n}} nonsense {{\n"


def with_a_name(content: bytes) -> bytes:
    return content.replace(b"192.0.2.99", b"fra.cache.example.net")


def with_two_clusters(content: bytes) -> bytes:
    document = json.loads(content)
    return json.dumps({"resources": document["resources"] * 2}).encode()


# By file; parent.config and HAProxy's map have no form that their programs reject.
DAMAGED = [
    ("nginx", "originmap.conf", cut_off),
    ("nginx", "originmap.conf", with_nonsense),
    ("haproxy", "originmap.cfg", with_nonsense),
    ("varnish", "originmap.vcl", cut_off),
    ("varnish", "originmap.vcl", with_nonsense),
    ("trafficserver", "strategies.yaml", with_nonsense),
    ("envoy", "cds.json", cut_off),
    ("envoy", "eds/originmap_nrt_fra.json", cut_off),
    ("envoy", "eds/originmap_nrt_fra.json", with_a_name),
    ("envoy", "eds/originmap_nrt_fra.json", with_two_clusters),
    ("envoy", "rds.json", with_nonsense),
]


def files_of(format_: str, folder: Path, which: str = "edge") -> dict[str, Path]:
    """Copies of the golden files with the names of new files and upper tiers without DNS names."""
    golden_files = GOLDEN / which / format_
    if not shutil.which(PROGRAMS[format_], path=ENVIRONMENT["PATH"]):
        found(PROGRAMS[format_])
    files = {}
    for golden in golden_files.rglob("*.*"):
        name = str(golden.relative_to(golden_files))
        files[name] = folder / f".{golden.name}.new"
        files[name].write_bytes(NAMES.sub(b"192.0.2.10", golden.read_bytes()))
    return files


def check(format_: str, files: dict[str, Path]) -> None:
    checker = checkers.checker_of(format_, ENVIRONMENT)
    assert checker is not None
    checkers.check(checker, files, ENVIRONMENT)


@pytest.mark.parametrize("format_", PROGRAMS)
def test_our_files_pass_the_check(format_: str, tmp_path: Path) -> None:
    check(format_, files_of(format_, tmp_path))


@pytest.mark.parametrize("which", SHARED)
@pytest.mark.parametrize("format_", SHARED_FORMATS)
def test_our_files_for_colos_with_several_caches_pass_the_check(
    format_: str, which: str, tmp_path: Path
) -> None:
    check(format_, files_of(format_, tmp_path, which))


@pytest.mark.parametrize("format_", PROGRAMS)
def test_files_with_free_space_pass_the_check(
    format_: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(free_space, "SMALLEST", 0)
    files, blank = files_of(format_, tmp_path), 0
    for file in format_called(format_).files:
        if file.blank_lines:
            content = export(file._replace(writer=partial(spaced, file)), node())
            files[file.name].write_bytes(NAMES.sub(b"192.0.2.10", content))
            blank += content.count(b"\n\n")
    assert blank
    check(format_, files)


@pytest.mark.parametrize("format_", ["varnish", "trafficserver"])
def test_checkers_that_run_as_another_user_can_read_the_temporary_folder(
    format_: str, tmp_path: Path
) -> None:
    files = files_of(format_, tmp_path)
    before = os.umask(0o077)  # like the systemd unit
    try:
        check(format_, files)
    finally:
        os.umask(before)


def test_vcl_is_checked_without_a_c_compiler(tmp_path: Path) -> None:
    files = files_of("varnish", tmp_path)
    alone = tmp_path / "bin"
    alone.mkdir()
    for program in ("varnishd", "rm"):
        where = shutil.which(program, path=ENVIRONMENT["PATH"])
        assert where is not None
        (alone / program).symlink_to(where)
    environment = {**ENVIRONMENT, "PATH": str(alone)}
    checker = checkers.checker_of("varnish", environment)
    assert checker is not None
    checkers.check(checker, files, environment)
    files["originmap.vcl"].write_bytes(cut_off(files["originmap.vcl"].read_bytes()))
    with pytest.raises(CommandFailed):
        checkers.check(checker, files, environment)


@pytest.mark.parametrize(("format_", "name", "damage"), DAMAGED)
def test_damaged_files_are_refused(format_: str, name: str, damage: Damage, tmp_path: Path) -> None:
    files = files_of(format_, tmp_path)
    files[name].write_bytes(damage(files[name].read_bytes()))
    with pytest.raises(CommandFailed):
        check(format_, files)


def test_a_failure_does_not_name_the_temporary_folder(tmp_path: Path) -> None:
    files = files_of("varnish", tmp_path)
    files["originmap.vcl"].write_text("nonsense")
    with pytest.raises(CommandFailed) as failed:
        check("varnish", files)
    assert "originmap.vcl" in failed.value.output
    assert "originmap-check-" not in str(failed.value)


def test_a_checker_that_is_not_installed_stops_the_start() -> None:
    with pytest.raises(CheckerMissing, match="nginx"):
        checkers.checker_of("nginx", {"PATH": "/nowhere"})


def test_an_unchecked_format_needs_no_checker() -> None:
    assert checkers.checker_of("csv", {"PATH": "/nowhere"}) is None

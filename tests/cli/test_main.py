"""How a command is found and loaded."""

import gc
import subprocess
import sys

import click
import pytest

import originmap
from originmap.cli import main


def test_garbage_collection_resumes_when_a_command_is_loaded() -> None:
    group = main.group
    assert isinstance(group, click.Group)
    group.get_command(click.Context(group), "regions")
    assert gc.isenabled()


def test_the_objects_of_a_command_are_excluded_from_garbage_collection() -> None:
    before = gc.get_freeze_count()
    with main._uncollected():
        assert not gc.isenabled()
        loaded = [[number] for number in range(100)]
    assert gc.get_freeze_count() >= before + len(loaded)


@pytest.mark.parametrize(
    ("name", "heavy"),
    [
        ("zone", "apsw"),
        ("zone", "httpx"),
        ("zone", "httptools"),
        ("zone", "asyncio"),
        ("plan", "apsw"),
        ("main", "msgspec"),
    ],
)
def test_a_command_loads_only_the_modules_that_it_needs(name: str, heavy: str) -> None:
    module = "originmap.cli.main" if name == "main" else main.module_of(name)
    program = f"import sys, {module}; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


def test_the_package_exports_the_resolver_and_no_other_names() -> None:
    assert originmap.Resolver.__module__ == "originmap.domain.tier.resolution"
    assert not hasattr(originmap, "Mappings")

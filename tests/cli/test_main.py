"""How a command is found and loaded."""

import gc
import subprocess
import sys

import click
import pytest

import originmap
from originmap.cli import main


def test_garbage_is_looked_for_again_when_a_command_is_loaded() -> None:
    group = main.group
    assert isinstance(group, click.Group)
    group.get_command(click.Context(group), "regions")
    gc.unfreeze()
    assert gc.isenabled()


def test_what_a_command_consists_of_is_never_looked_at_again() -> None:
    with main._uncollected():
        assert not gc.isenabled()
    frozen = gc.get_freeze_count()
    gc.unfreeze()
    assert frozen > 0


@pytest.mark.parametrize(
    ("name", "heavy"),
    [
        ("zone", "apsw"),
        ("zone", "httpx"),
        ("zone", "uvicorn"),
        ("zone", "asyncio"),
        ("plan", "apsw"),
        ("main", "msgspec"),
    ],
)
def test_a_command_loads_no_more_than_it_needs(name: str, heavy: str) -> None:
    module = "originmap.cli.main" if name == "main" else main.module_of(name)
    program = f"import sys, {module}; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


def test_the_package_has_the_resolver_and_nothing_that_it_does_not_name() -> None:
    assert originmap.Resolver.__module__ == "originmap.domain.tier.resolution"
    assert not hasattr(originmap, "Mappings")

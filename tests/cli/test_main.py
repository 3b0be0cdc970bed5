"""How a command is found and loaded."""

import gc

import click

from originmap.cli import main


def test_garbage_is_looked_for_again_when_a_command_is_loaded() -> None:
    group = main._group
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

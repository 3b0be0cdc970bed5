"""The health command: real ones."""

import click
import pytest

from originmap.rollout.health import health_of


def problem(command: str, seconds: float = 20) -> str:
    health = health_of(command, seconds)
    assert health is not None
    return health.problem(2, 812, ["FRA", "SIN"])


def test_a_command_that_ends_with_0_is_well() -> None:
    assert problem("true") == ""


def test_what_a_command_says_last_is_why() -> None:
    assert problem("sh -c 'echo one; echo two >&2; exit 3'") == (
        "the health command exited with status 3: two"
    )
    assert problem("false") == "the health command exited with status 1"


def test_a_command_that_takes_too_long_is_not_well() -> None:
    for command in ("sleep 60", "sh -c 'sleep 60; true'"):
        assert problem(command, 0.1) == "the health command timed out after 0.1 s"


def test_it_is_told_which_wave_is_meant() -> None:
    told = "$ORIGINMAP_WAVE $ORIGINMAP_REVISION $ORIGINMAP_COLOS"
    assert problem(f'sh -c "echo {told}; exit 1"').endswith(": 2 812 FRA SIN")


def test_no_shell_reads_it() -> None:
    assert problem("echo a ; exit 1") == ""
    assert problem("test '$HOME' = '$HOME'") == ""


@pytest.mark.parametrize("command", ["/nowhere/check", "'unfinished", " "])
def test_what_cannot_be_run_is_refused_at_once(command: str) -> None:
    with pytest.raises(click.BadParameter, match="--health"):
        health_of(command, 1)


def test_without_a_command_there_is_none() -> None:
    assert health_of("", 1) is None

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


def test_the_last_output_of_a_command_is_the_reason() -> None:
    assert problem("sh -c 'echo one; echo two >&2; exit 3'") == (
        "the health command exited with status 3: two"
    )
    assert problem("false") == "the health command exited with status 1"


def test_a_health_command_over_its_timeout_is_unhealthy() -> None:
    for command in ("sleep 60", "sh -c 'sleep 60; true'"):
        assert problem(command, 0.1) == "the health command timed out after 0.1 s"


def test_the_health_command_gets_the_stage() -> None:
    told = "$ORIGINMAP_STAGE $ORIGINMAP_REVISION $ORIGINMAP_COLOS"
    assert problem(f'sh -c "echo {told}; exit 1"').endswith(": 2 812 FRA SIN")


def test_no_shell_reads_it() -> None:
    assert problem("echo a ; exit 1") == ""
    assert problem("test '$HOME' = '$HOME'") == ""


@pytest.mark.parametrize("command", ["/nowhere/check", "'unfinished", " "])
def test_what_cannot_be_run_is_refused_at_once(command: str) -> None:
    with pytest.raises(click.BadParameter, match="--health"):
        health_of(command, 1)


def test_a_missing_command_gives_none() -> None:
    assert health_of("", 1) is None

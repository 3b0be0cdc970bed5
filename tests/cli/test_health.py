"""The health command, with real programs."""

import click
import pytest

from originmap.rollout.health import health_of


def problem(command: str, seconds: float = 20) -> str:
    health = health_of(command, seconds)
    assert health is not None
    return health.problem(2, 812, ["FRA", "SIN"])


def test_exit_status_0_is_healthy() -> None:
    assert problem("true") == ""


def test_the_last_line_of_output_is_the_reason() -> None:
    assert problem("sh -c 'echo one; echo two >&2; exit 3'") == (
        "the health command exited with status 3: two"
    )
    assert problem("false") == "the health command exited with status 1"


def test_a_health_command_over_its_timeout_is_unhealthy() -> None:
    for command in ("sleep 60", "sh -c 'sleep 60; true'"):
        assert problem(command, 0.1) == "the health command timed out after 0.1 s"


def test_the_health_command_receives_the_stage() -> None:
    told = "$ORIGINMAP_STAGE $ORIGINMAP_REVISION $ORIGINMAP_COLOS"
    assert problem(f'sh -c "echo {told}; exit 1"').endswith(": 2 812 FRA SIN")


def test_the_health_command_runs_without_a_shell() -> None:
    assert problem("echo a ; exit 1") == ""
    assert problem("test '$HOME' = '$HOME'") == ""


@pytest.mark.parametrize("command", ["/nowhere/check", "'unfinished", " "])
def test_an_invalid_health_command_is_rejected_at_once(command: str) -> None:
    with pytest.raises(click.BadParameter, match="--health"):
        health_of(command, 1)


def test_without_a_health_command_there_is_no_check() -> None:
    assert health_of("", 1) is None

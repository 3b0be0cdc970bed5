"""The operator's commands."""

import os
import sys
import time
from pathlib import Path

import pytest

from originmap.edge.command import Command, parse, run
from originmap.edge.errors import CommandFailed
from originmap.settings import command_environment

ENVIRONMENT = {"PATH": os.environ["PATH"]}


def python(program: str) -> Command:
    return Command((sys.executable, "-c", program))


def test_a_command_is_split_like_in_a_shell_without_other_shell_syntax(
    tmp_path: Path,
) -> None:
    command = parse(f"touch '{tmp_path}/two words' {tmp_path}/$HOME;ls")
    assert command.argv == ("touch", f"{tmp_path}/two words", f"{tmp_path}/$HOME;ls")


@pytest.mark.parametrize("text", ["", "  ", "unended '"])
def test_an_invalid_command_is_rejected(text: str) -> None:
    with pytest.raises(ValueError):
        parse(text)


def test_a_successful_command_returns_nothing() -> None:
    run(python("print('fine')"), ENVIRONMENT)


def test_a_failure_has_the_last_lines_of_the_output() -> None:
    with pytest.raises(CommandFailed) as failed:
        run(python("for n in range(100000): print('line', n)\nraise SystemExit(3)"), ENVIRONMENT)
    assert failed.value.reason == "exit status 3"
    assert failed.value.output.splitlines() == [f"line {n}" for n in range(99992, 100000)]


def test_a_missing_command_fails() -> None:
    with pytest.raises(CommandFailed, match="No such file"):
        run(parse("/nowhere/nginx -t"), ENVIRONMENT)


def test_a_command_is_killed_with_its_children_after_the_timeout(tmp_path: Path) -> None:
    late = tmp_path / "late"
    program = f"sh -c '(sleep 1; touch {late}) & wait'"
    with pytest.raises(CommandFailed, match="longer than"):
        run(parse(program), ENVIRONMENT, 0.2)
    time.sleep(1.2)
    assert not late.exists()


def test_a_daemon_that_keeps_the_output_open_does_not_delay_the_result(tmp_path: Path) -> None:
    run(parse("sh -c 'sleep 20 & echo started'"), ENVIRONMENT, 10)


def test_the_error_of_a_killed_command_has_the_signal() -> None:
    with pytest.raises(CommandFailed, match="ended by signal 9"):
        run(parse("sh -c 'kill -9 $$'"), ENVIRONMENT)


def test_a_command_does_not_see_the_token() -> None:
    seen = command_environment({"ORIGINMAP_TOKEN": "secret", "HOME": "/root", "PATH": "/bin"})
    assert seen == {"HOME": "/root", "PATH": "/bin:/usr/sbin:/sbin"}

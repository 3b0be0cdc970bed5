"""Numbers and texts that no option takes, refused before a server is asked."""

import click
import pytest
from click.testing import CliRunner

from originmap.cli import edge, ranges, rollout, serve


@pytest.mark.parametrize(
    ("command", "arguments", "why"),
    [
        (edge.command, ["--interval", "nan"], "nan is not a number of seconds"),
        (edge.command, ["--verify", "inf"], "inf is not in the range"),
        (ranges.command, ["fetch", "--timeout", "nan"], "nan is not a number of seconds"),
        (serve.command, ["--history-days", "inf"], "inf is not a number of seconds, days"),
        (rollout.command, ["kill", "--to", "9" * 24], "is not in the range 0<=x<=1000000000000000"),
        (rollout.command, ["pause", "--why", "x" * 501], "it has 501 characters, 500 is the most"),
    ],
)
def test_it_is_refused_and_said_why(command: click.Command, arguments: list[str], why: str) -> None:
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 2
    assert why in " ".join(result.output.split())

"""Invalid numbers and texts of options, rejected before a request is sent."""

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from originmap.cli import main, option_types
from originmap.cli.commands import ranges, rollout
from originmap.cli.commands.server import edge, serve


@pytest.mark.parametrize(
    ("command", "arguments", "why"),
    [
        (edge.command, ["--interval", "nan"], "'nan' is not a number from 0.1 to 3600"),
        (edge.command, ["--verify", "inf"], "'inf' is not a number from 0.1 to 10000"),
        (ranges.command, ["fetch", "--timeout", "nan"], "'nan' is not a number from 0.1 to 3600"),
        (serve.command, ["--history-days", "inf"], "'inf' is not a number from 1e-06 to 36500"),
        (serve.command, ["--history-days", "0"], "'0' is not a number from 1e-06 to 36500"),
        (rollout.command, ["kill", "--to", "9" * 24], "number from 0 to 1000000000000000"),
        (rollout.command, ["pause", "--why", "x" * 501], "it has 501 characters, 500 is the most"),
    ],
)
def test_an_invalid_value_is_rejected_with_the_reason(
    command: click.Command, arguments: list[str], why: str
) -> None:
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 2
    assert why in " ".join(result.output.split())


HOSTILE = [
    "nan", "inf", "-inf", "-1", "+5", "1_000", "1e400", "1e3", "٥", " 5", "5 ", "", "0x10",
    "9" * 5_000, "-" + "9" * 5_000, "0" * 5_000 + "5",
]  # fmt: skip


def commands(group: click.Command, context: click.Context) -> Iterator[click.Command]:
    """Every command, including subcommands."""
    if not isinstance(group, click.Group):
        yield group
        return
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None
        yield from commands(found, context)


def numeric() -> Iterator[tuple[click.Command, click.Parameter]]:
    """Every numeric option and argument, with its command."""
    group = main.group
    for command in commands(group, click.Context(group)):
        for parameter in command.params:
            number = isinstance(
                parameter.type, click.types.IntParamType | click.types.FloatParamType
            )
            if number or is_time(parameter):
                yield command, parameter


def is_time(parameter: click.Parameter) -> bool:
    return getattr(parameter.callback, "__name__", "") == "_seconds"


NUMERIC = list(numeric())
_TYPES = (option_types.Whole, option_types.Amount, option_types.Degrees)


def test_every_number_of_a_command_has_the_same_parameter_type() -> None:
    assert len(NUMERIC) > 15
    others = [
        f"{command.name} {parameter.name}"
        for command, parameter in NUMERIC
        if not isinstance(parameter.type, _TYPES) and not is_time(parameter)
    ]
    assert others == []


@pytest.mark.parametrize(("command", "parameter"), NUMERIC, ids=lambda one: str(one.name))
def test_a_number_in_any_other_form_is_rejected_in_one_line(
    command: click.Command, parameter: click.Parameter
) -> None:
    with click.Context(command) as context:
        negative = isinstance(parameter.type, option_types.Degrees)
        for text in (text for text in HOSTILE if not (negative and text == "-1")):
            with pytest.raises(click.BadParameter) as caught:
                parameter.process_value(context, text)
            assert "\n" not in caught.value.message
            assert len(caught.value.message) < 200

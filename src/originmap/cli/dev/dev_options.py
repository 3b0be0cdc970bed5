"""Options of `originmap dev` for tests."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


class DevOptions(NamedTuple):
    """The values of the options."""

    state: bytes | None
    strict: bool
    fidelity: bool
    journal: bool
    stop_on_eof: bool
    detach: bool


def dev_options(command: F) -> F:
    """The options, as the argument `testing`"""

    @functools.wraps(command)
    def given(**values: Any) -> Any:
        own = {name: values.pop(name) for name in DevOptions._fields}
        return command(testing=DevOptions(**own), **values)

    with_options: Any = given
    for option in reversed(_OPTIONS):
        with_options = option(with_options)
    found: F = with_options
    return found


def _read(ctx: click.Context, param: click.Parameter, value: Path | None) -> bytes | None:
    try:
        return None if value is None else value.read_bytes()
    except OSError as error:
        raise click.BadParameter(f"{value}: {error.strerror}") from None


_OPTIONS = (
    click.option(
        "--state",
        metavar="FILE",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        callback=_read,
        help="Initial state, saved from /originmap/dev/v1/state. Implies --db :memory:.",
    ),
    click.option(
        "--strict",
        is_flag=True,
        help="Refuse requests that are probably mistakes, with an explanation.",
    ),
    click.option(
        "--fidelity/--no-fidelity",
        default=True,
        show_default=True,
        help="Say in each response what it rests on: a published fact, or a decision of ours.",
    ),
    click.option(
        "--journal/--no-journal",
        default=True,
        show_default=True,
        help="Keep the newest requests for tests.",
    ),
    click.option(
        "--stop-on-eof",
        is_flag=True,
        help="Stop when standard input ends, as it does when the program that started it ends.",
    ),
    click.option("--detach", is_flag=True, help="Run in the background; originmap stop ends it."),
)

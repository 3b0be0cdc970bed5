"""originmap rollout: releases changes to the nodes of caches in waves."""

import functools
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click
import msgspec

from originmap.cli import option_types as numbers
from originmap.cli import options
from originmap.cli.output import rollout_text
from originmap.cli.output.live_line import LiveLine
from originmap.cli.output.table import print_table
from originmap.cli.server_options import server
from originmap.client.server import Server, ServerRefused
from originmap.domain.errors import RolloutConflict
from originmap.domain.rollout.rollout import RolloutState
from originmap.rollout.conductor import Conductor, ConductorOptions
from originmap.rollout.health import health_of
from originmap.rollout.rollouts import ServerRollouts
from originmap.service.rollout.rollout_json import RolloutJSON
from originmap.service.rollout.steps import (
    Abort,
    Advance,
    Finish,
    Hold,
    Kill,
    Pause,
    Resume,
    RolloutRequest,
    Start,
)

F = TypeVar("F", bound=Callable[..., Any])


@click.group("rollout")
def command() -> None:
    """Release changes to the nodes of caches in waves."""


_EMPTY = "Go on though no node of this colo, or of this part, such as 1%, reports."
_LOST = "Go on though this node, which reported before, no longer does."


def _as_set(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> frozenset[str]:
    return frozenset(value)


def _upper(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> frozenset[str]:
    return frozenset(name.upper() for name in value)


def _of_server(function: F) -> F:
    """--db, --server and --context, as the argument `rollouts`"""

    @server
    @functools.wraps(function)
    def given(server: Server, **rest: Any) -> Any:
        return function(rollouts=ServerRollouts(server), **rest)

    return given  # type: ignore[return-value]


def _conducting(function: F) -> F:
    for option in (
        click.option(
            "--allow-lost", "lost", multiple=True, metavar="NODE", help=_LOST, callback=_as_set
        ),
        click.option(
            "--allow-empty", "empty", multiple=True, metavar="COLO", help=_EMPTY, callback=_upper
        ),
        click.option("--by-hand", is_flag=True, help="Release no further wave: that is advance."),
        options.duration("--patience", "2m", "How long the nodes of a wave may take, or be away."),
        options.duration("--health-seconds", "1m", "How long the health command may take."),
        options.duration("--every", "30s", "How often the health command is run."),
        click.option(
            "--health", default="", metavar="CMD", help="Command that ends with 0 if all is well."
        ),
        options.duration("--hold", "5m", "How long each wave is looked at."),
    ):
        function = option(function)
    return function


@command.command("status")
@_of_server
@options.as_json
def status(rollouts: ServerRollouts, as_json: bool) -> None:
    """Print the rollout: its state, its waves, and what each node serves.

    Example: originmap rollout status --db originmap.db
    """
    shown = rollouts.show()
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(shown), indent=2))
    elif shown is None:
        click.echo("there was no rollout: every node has the newest revision")
    else:
        _print(shown)


@command.command("hold")
@click.option("--base", type=numbers.REVISION, help="An earlier revision to hold the nodes at.")
@_of_server
def hold(rollouts: ServerRollouts, base: int | None) -> None:
    """Keep every node where it is: what is changed from now on waits.

    Example: originmap rollout hold --db originmap.db
    """
    _take(rollouts, Hold(base))


@command.command("start")
@click.option("--waves", required=True, help="As in SIN,FRA+IAD,1%,10%,100%.")
@click.option("--base", type=numbers.REVISION, help="Release what was changed since this one.")
@_conducting
@_of_server
def start(rollouts: ServerRollouts, waves: str, base: int | None, **wishes: Any) -> None:
    """Release what was changed since the hold, in waves.

    Each wave is waited for and looked at before the next. Where one is not well, every node goes
    back. Run it for as long as that takes; if it is cut off, resume goes on.

    Example: originmap rollout start --waves SIN,1%,10%,100% --hold 5m --health ./check --db o.db
    """
    _conduct(rollouts, Start(waves, base), wishes)


@command.command("resume")
@_conducting
@_of_server
def resume(rollouts: ServerRollouts, **wishes: Any) -> None:
    """Go on with a rollout that is paused or halted, or whose start was cut off.

    Example: originmap rollout resume --hold 5m --health ./check --db originmap.db
    """
    shown = rollouts.show()
    running = shown is not None and shown.state is RolloutState.RUNNING
    _conduct(rollouts, None if running else Resume(), wishes)


@command.command("advance")
@_of_server
def advance(rollouts: ServerRollouts) -> None:
    """Release the next wave now.

    Example: originmap rollout advance --db originmap.db
    """
    shown = rollouts.show()
    number = shown.number if shown else None
    _take(rollouts, Advance(shown.released + 1 if shown else None, number=number))


@command.command("pause")
@click.option("--why", type=numbers.Why(), default="", help="What the others shall know.")
@_of_server
def pause(rollouts: ServerRollouts, why: str) -> None:
    """Leave every node where it is, and release nothing.

    Example: originmap rollout pause --why "incident 7" --db originmap.db
    """
    _take(rollouts, Pause(why))


@command.command("abort")
@click.option("--why", type=numbers.Why(), default="", help="What the others shall know.")
@_of_server
def abort(rollouts: ServerRollouts, why: str) -> None:
    """Take every node back to where it was before the rollout.

    Example: originmap rollout abort --why "too slow" --db originmap.db
    """
    _take(rollouts, Abort(why))


@command.command("kill")
@click.option("--to", type=numbers.REVISION, help="The revision; else the base of the rollout.")
@click.option("--why", type=numbers.Why(), default="", help="What the others shall know.")
@_of_server
def kill(rollouts: ServerRollouts, to: int | None, why: str) -> None:
    """Take every node back at once, whatever the state, also without a rollout.

    Example: originmap rollout kill --to 41 --db originmap.db
    """
    _take(rollouts, Kill(to, why))


@command.command("finish")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_of_server
def finish(rollouts: ServerRollouts, yes: bool) -> None:
    """Let every node have the newest revision from now on.

    Example: originmap rollout finish --db originmap.db
    """
    shown = rollouts.show()
    if shown is not None and shown.state is not RolloutState.DONE and not yes:
        click.echo(rollout_text.headline(shown))
        click.confirm(f"Let revision {shown.revision} go everywhere at once?", abort=True)
    number, seen = (shown.number, shown.revision) if shown else (None, None)
    _take(rollouts, Finish(number=number, revision=None if yes else seen))


def _take(rollouts: ServerRollouts, asked: RolloutRequest) -> RolloutJSON:
    shown = rollouts.take(asked)
    assert shown is not None
    click.echo(rollout_text.headline(shown))
    for line in rollout_text.remains(shown):
        click.echo(line)
    return shown


def _conduct(rollouts: ServerRollouts, asked: Start | Resume | None, given: dict[str, Any]) -> None:
    health = health_of(given["health"], given["health_seconds"])
    if not given["by_hand"]:
        rollouts.watch()  # nothing is released that could not be looked at afterwards
    shown = rollouts.show() if asked is None else rollouts.take(asked)
    if shown is None:
        raise RolloutConflict("there is no rollout to go on with")
    click.echo(rollout_text.headline(shown))
    if given["by_hand"]:
        return
    line = LiveLine(sys.stderr)
    timing = given["hold"], given["every"], given["patience"]
    wishes = ConductorOptions(*timing, health, given["empty"], given["lost"])
    try:
        ended = Conductor(rollouts, wishes, line).run(shown)
    except (ServerRefused, KeyboardInterrupt):
        line.clear()
        click.echo(
            "broke off: the rollout stays at its wave; originmap rollout resume goes on, "
            "abort takes every node back",
            err=True,
        )
        raise
    click.echo(rollout_text.headline(ended))
    for text in rollout_text.remains(ended):
        click.echo(text)


def _print(shown: RolloutJSON) -> None:
    click.echo(rollout_text.headline(shown))
    if shown.why:
        click.echo(f"why: {shown.why}")
    for line in rollout_text.remains(shown):
        click.echo(line)
    if shown.waves:
        print_table(rollout_text.waves(shown), ("wave", "takes", "released", "nodes", "there"))
    if shown.nodes:
        columns = ("node", "colo", "wave", "may serve", "serves", "last_contact", "problem")
        print_table(rollout_text.nodes(shown), columns)

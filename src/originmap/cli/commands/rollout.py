"""originmap rollout: releases changes to nodes in stages."""

import functools
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from originmap.cli import option_types, options
from originmap.cli.output import rollout_text
from originmap.cli.output.live_line import LiveLine
from originmap.cli.output.table import print_object, print_table
from originmap.cli.server_options import server
from originmap.client.server import APIServer, ServerRefused
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

F = TypeVar("F", bound=Callable[..., object])


@click.group("rollout")
def command() -> None:
    """Release changes to nodes in stages."""


_EMPTY = "Continue although no node of this colo, or of this share (1%), reports; repeatable."
_LOST = "Continue although this node stopped reporting; repeatable."
_WHY = "Reason, shown to other operators."


def _as_set(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> frozenset[str]:
    return frozenset(value)


def _upper(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> frozenset[str]:
    return frozenset(name.upper() for name in value)


def _of_server(function: F) -> F:
    """--db, --server and --context, as the argument `rollouts`"""

    @server
    @functools.wraps(function)
    def given(server: APIServer, **rest: object) -> object:
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
        click.option(
            "--by-hand",
            is_flag=True,
            help="Do not advance automatically; use originmap rollout advance.",
        ),
        options.duration("--patience", "2m", "How long to wait for the nodes of a stage."),
        options.duration("--health-seconds", "1m", "Timeout of the health check."),
        options.duration("--every", "30s", "Interval between two health checks."),
        click.option(
            "--health", default="", metavar="CMD", help="Health check; exit status 0 means healthy."
        ),
        options.duration("--hold", "5m", "How long to observe each stage before the next."),
    ):
        function = option(function)
    return function


@command.command("status")
@_of_server
@options.as_json
def status(rollouts: ServerRollouts, as_json: bool) -> None:
    """Print the state of the rollout.

    The output has the stages of the rollout, and for each node the revision that it may serve and
    the one that it serves. docs/rollout.md explains the states.

    Example: originmap rollout status --db originmap.db
    """
    shown = rollouts.show()
    if as_json:
        print_object(shown)
    elif shown is None:
        click.echo("there was no rollout: every node has the newest revision")
    else:
        _print(shown)


@command.command("hold")
@click.option(
    "--base",
    type=option_types.REVISION,
    help="Revision to hold the nodes at. Default: the current one.",
)
@_of_server
def hold(rollouts: ServerRollouts, base: int | None) -> None:
    """Hold every node at its revision.

    Changes made from now on wait for originmap rollout start.

    Example: originmap rollout hold --db originmap.db
    """
    _take(rollouts, Hold(base))


@command.command("start")
@click.option(
    "--stages", required=True, metavar="STAGES", help="Stages, such as SIN,FRA+IAD,1%,10%,100%."
)
@click.option(
    "--base",
    type=option_types.REVISION,
    help="Release the changes since this revision. Default: the revision of the hold.",
)
@_conducting
@_of_server
def start(rollouts: ServerRollouts, stages: str, base: int | None, **wishes: object) -> None:
    """Release the changes since the hold, stage by stage.

    The command waits for the nodes of each stage and observes them before it releases the next
    stage: docs/rollout.md. If a stage is unhealthy, every node goes back to the base revision and
    the exit status is 1. Keep the command running until the last stage; if it is interrupted,
    originmap rollout resume continues.

    Example: originmap rollout start --stages SIN,1%,10%,100% --hold 5m --health ./check --db o.db
    """
    _conduct(rollouts, Start(stages, base), wishes)


@command.command("resume")
@_conducting
@_of_server
def resume(rollouts: ServerRollouts, **wishes: object) -> None:
    """Continue a rollout.

    The rollout is paused or halted, or its originmap rollout start was interrupted.

    Example: originmap rollout resume --hold 5m --health ./check --db originmap.db
    """
    shown = rollouts.show()
    running = shown is not None and shown.state is RolloutState.RUNNING
    _conduct(rollouts, None if running else Resume(), wishes)


@command.command("advance")
@_of_server
def advance(rollouts: ServerRollouts) -> None:
    """Release the next stage now.

    Example: originmap rollout advance --db originmap.db
    """
    shown = rollouts.show()
    number = shown.number if shown else None
    _take(rollouts, Advance(shown.released + 1 if shown else None, number=number))


@command.command("pause")
@click.option("--why", type=option_types.Why(), default="", help=_WHY)
@_of_server
def pause(rollouts: ServerRollouts, why: str) -> None:
    """Pause the rollout.

    Nodes keep their revisions until the next step.

    Example: originmap rollout pause --why "incident 7" --db originmap.db
    """
    _take(rollouts, Pause(why))


@command.command("abort")
@click.option("--why", type=option_types.Why(), default="", help=_WHY)
@_of_server
def abort(rollouts: ServerRollouts, why: str) -> None:
    """Abort the rollout.

    Every node goes back to the base revision. The changes stay in the database; the output says how
    to release or undo them.

    Example: originmap rollout abort --why "too slow" --db originmap.db
    """
    _take(rollouts, Abort(why))


@command.command("kill")
@click.option(
    "--to",
    type=option_types.REVISION,
    help="Revision to go back to. Default: the base of the last rollout.",
)
@click.option("--why", type=option_types.Why(), default="", help=_WHY)
@_of_server
def kill(rollouts: ServerRollouts, to: int | None, why: str) -> None:
    """Take every node back to an earlier revision at once.

    This works in every state, and without a rollout.

    Example: originmap rollout kill --to 41 --db originmap.db
    """
    _take(rollouts, Kill(to, why))


@command.command("finish")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@_of_server
def finish(rollouts: ServerRollouts, yes: bool) -> None:
    """Finish the rollout: release the newest revision to every node.

    The command asks for confirmation. It is refused if there was a change after the question.

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
        raise RolloutConflict("there is no rollout to continue")
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
            "interrupted: the rollout stays at its stage; originmap rollout resume continues, "
            "originmap rollout abort takes every node back",
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
    if shown.stages:
        print_table(rollout_text.stages(shown), ("stage", "takes", "released", "nodes", "there"))
    if shown.nodes:
        columns = ("node", "colo", "stage", "may serve", "serves", "last_contact", "problem")
        print_table(rollout_text.nodes(shown), columns)

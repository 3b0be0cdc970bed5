"""originmap apply: make the live mappings match a file or a saved plan."""

import sys
from pathlib import Path
from typing import Any

import click

from originmap.cli import planning
from originmap.cli.api_options import remote
from originmap.cli.failure import print_wait
from originmap.cli.output import plan_text
from originmap.cli.output.progress_bar import ProgressBar
from originmap.cli.planning import PlanRequest, Reading
from originmap.client.errors import ClientError
from originmap.client.mappings import RemoteMappings
from originmap.domain.plan.guard import objections
from originmap.domain.plan.plan import Plan
from originmap.planning.errors import Incomplete, Objected, StateUnwritable, UnusablePlan
from originmap.planning.execution import Apply
from originmap.planning.journal import Journal
from originmap.planning.plan_json import Planned, encode, is_saved, load
from originmap.planning.planner import renew
from originmap.settings import state_folder


@click.command("apply")
@planning.question
@planning.topology
@click.option(
    "--yes", is_flag=True, help="Do not ask for confirmation; required without a terminal."
)
@click.option(
    "--allow-mass-change",
    is_flag=True,
    help="Allow changes or deletions of more than 30 % of a zone's mappings.",
)
def command(topology: Path | None, yes: bool, allow_mass_change: bool, **asked: Any) -> None:
    """Make the live mappings match a file or a saved plan.

    PATH is a mappings file, a folder of them, or a plan saved by originmap plan. A saved plan is
    refused if the live mappings have changed since. If the command is interrupted, run it again to
    make the remaining changes. At the end the command reads the mappings again and lists those that
    differ from the plan; the exit status is then 1.

    Example: originmap apply plan.json --yes
    """
    question = PlanRequest(**asked)
    journal = _journal()
    with remote(question.api) as mappings:
        if is_saved(question.path):
            planned, todo = _saved(mappings, question, journal)
        else:
            planned = planning.make(mappings, question)
            todo = planned.plan
            if any(journal.left_behind(planned)):
                click.echo("an earlier apply was interrupted; this plan has the rest", err=True)
        cold_moves = planning.moving(todo, mappings, topology)
        shown = Planned(planned.api, todo, planned.pins, cold_moves)
        plan_text.echo(plan_text.text(shown))
        if not todo.empty:
            _refuse_or_ask(planned.plan, yes=yes, allow_mass_change=allow_mass_change)
            journal.begin(planned.plan.digest, encode(planned))
            planning.use_own_regions(mappings, todo)
            _carry_out(mappings, todo)
        for digest in [planned.plan.digest, *journal.left_behind(planned)]:
            journal.finish(digest)


def _journal() -> Journal:
    folder = state_folder()
    if folder is None:
        raise StateUnwritable("", "this user has no home folder")
    return Journal(folder / "apply")


def _saved(
    mappings: RemoteMappings, question: PlanRequest, journal: Journal
) -> tuple[Planned, Plan]:
    """A saved plan, and what is to be done of it now."""
    if question.only or question.no_delete:
        raise click.UsageError(
            "a saved plan is carried out as it is: --only and --no-delete go with plan"
        )
    planned = load(question.path)
    if planned.api.rstrip("/") != question.api.rstrip("/"):
        raise UnusablePlan(str(question.path), f"it is for {planned.api}, not for {question.api}")
    begun = journal.begun(planned.plan.digest)
    with Reading(len(planned.plan.zones)) as reading:
        plan, left = renew(mappings, planned.plan, begun, reading.on_zone)
    if begun:
        click.echo("this plan was begun before; it goes on with what is left", err=True)
    return Planned(planned.api, plan, planned.pins), left


def _refuse_or_ask(plan: Plan, *, yes: bool, allow_mass_change: bool) -> None:
    against = objections(plan, allow_mass_change=allow_mass_change)
    if against:
        raise Objected(against)
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError(
                "no terminal for the confirmation; give --yes to apply without it"
            )
        click.confirm("Apply this?", abort=True, err=True)


def _carry_out(mappings: RemoteMappings, todo: Plan) -> None:
    changes = sum(zone.size for zone in todo.zones)
    done = 0

    def on_batch(count: int) -> None:
        nonlocal done
        done += count
        bar.step(count)

    try:
        with Reading(len(todo.zones)) as reading, ProgressBar("applying changes", changes) as bar:
            apply = Apply(mappings, on_batch, reading.on_zone, on_wait=print_wait)
            failures = apply.run(todo)
    except (ClientError, KeyboardInterrupt):
        click.echo(
            f"broke off after {done:,} of {changes:,} changes; "
            "run the same command again to make the others",
            err=True,
        )
        raise
    if failures:
        raise Incomplete(failures)
    click.echo(f"done: {changes:,} change{'s' * (changes != 1)}, read back and as planned")

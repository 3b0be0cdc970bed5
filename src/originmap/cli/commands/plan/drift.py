"""originmap drift: how the live mappings differ from a file; a plan for cron."""

import sys
from pathlib import Path
from typing import Any

import click

from originmap.cli import options, planning
from originmap.cli.api_options import Differing, write_out
from originmap.cli.output import plan_text
from originmap.cli.planning import PlanRequest
from originmap.planning.plan_json import encode


@click.command("drift", cls=Differing)
@planning.question
@planning.topology
@options.as_json
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also write the report to this file, as JSON.",
)
def command(topology: Path | None, as_json: bool, report: Path | None, **asked: Any) -> None:
    """Print how the live mappings differ from a file.

    Use it in a cron job: it prints nothing if there is no difference, and changes nothing. The exit
    status is 0 without a difference, 2 with one, and 1 for any error, including a wrong command
    line.

    Example: originmap drift mappings.yaml --report drift.json
    """
    planned = planning.planned(PlanRequest(**asked), topology)
    if report is not None:
        write_out(report, map(bytes.decode, encode(planned)), "--report")
    if as_json:
        plan_text.echo(map(bytes.decode, encode(planned)))
    elif not planned.plan.empty:
        plan_text.echo(plan_text.text(planned))
    sys.exit(0 if planned.plan.empty else 2)

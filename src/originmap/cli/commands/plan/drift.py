"""originmap drift: whether what is live is still what the file says; a plan for cron."""

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
    help="Write the report as JSON to this file too.",
)
def command(topology: Path | None, as_json: bool, report: Path | None, **asked: Any) -> None:
    """Print how the live mappings differ from those of PATH; nothing where they do not.

    Changes nothing. The exit status is 0 without a difference, 2 with one, 1 when something is
    wrong.

    Example: originmap drift mappings.yaml --report drift.json
    """
    planned = planning.planned(PlanRequest(**asked), topology)
    if report is not None:
        write_out(report, map(bytes.decode, encode(planned)))
    if as_json:
        plan_text.echo(map(bytes.decode, encode(planned)))
    elif not planned.plan.empty:
        plan_text.echo(plan_text.text(planned))
    sys.exit(0 if planned.plan.empty else 2)

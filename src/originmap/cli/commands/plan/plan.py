"""originmap plan: the changes that would make the live mappings match a file."""

import sys
from pathlib import Path
from typing import Any

import click

from originmap.cli import options, planning
from originmap.cli.api_options import Differing, write_out
from originmap.cli.output import plan_text
from originmap.cli.planning import PlanRequest
from originmap.planning.plan_json import encode


@click.command("plan", cls=Differing)
@planning.question
@planning.topology
@options.as_json
@click.option("--markdown", is_flag=True, help="Print Markdown for a pull request.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also save the plan to this file, for originmap apply.",
)
def command(
    topology: Path | None, as_json: bool, markdown: bool, out: Path | None, **asked: Any
) -> None:
    """Print the changes that would make the live mappings match a file.

    PATH is a mappings file or a folder of them: docs/mappings-as-code.md. The command changes
    nothing. The exit status is 0 if there is nothing to do, 2 if there are changes, and 1 for any
    error, including a wrong command line.

    Example: originmap plan mappings.yaml --out plan.json
    """
    if as_json and markdown:
        raise click.UsageError("--json and --markdown exclude each other")
    planned = planning.planned(PlanRequest(**asked), topology)
    if out is not None:
        write_out(out, map(bytes.decode, encode(planned)))
    if as_json:
        plan_text.echo(map(bytes.decode, encode(planned)))
    else:
        plan_text.echo((plan_text.markdown if markdown else plan_text.text)(planned))
    for warning in plan_text.warnings(planned):
        click.echo(warning, err=True)
    sys.exit(0 if planned.plan.empty else 2)

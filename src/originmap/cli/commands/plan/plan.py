"""originmap plan: what would make the mappings that there are into those of a file."""

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
@click.option("--markdown", is_flag=True, help="Print Markdown, for a pull request.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Save the plan too, for originmap apply.",
)
def command(
    topology: Path | None, as_json: bool, markdown: bool, out: Path | None, **asked: Any
) -> None:
    """Print what would make the live mappings into those of PATH, a file or a folder of files.

    Changes nothing. The exit status is 0 when there is nothing to do, 2 when there are changes,
    1 when something is wrong.

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

"""originmap export terraform: the live mappings for Terraform and OpenTofu."""

from pathlib import Path

import click

from originmap.cli.api_options import api, only, out, zones
from originmap.cli.live_export import export
from originmap.domain.plan.selection import Pattern
from originmap.mapfile.terraform import write_terraform


@click.command("terraform")
@zones
@only
@api
@out
def command(zones: tuple[str, ...], only: tuple[Pattern, ...], api: str, out: Path | None) -> None:
    """Print the live mappings as resources of Terraform's cloudflare provider, each with a block
    that imports it: terraform plan then has nothing to create.

    Example: originmap export terraform --zone example.com --out origins.tf
    """
    export(write_terraform, zones, only, api, out)

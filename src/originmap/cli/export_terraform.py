"""originmap export terraform: the live mappings for Terraform and OpenTofu."""

from pathlib import Path

import click

from originmap.cli.exporting import export
from originmap.cli.remote import api, only, out, zones
from originmap.domain.selection import Pattern
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

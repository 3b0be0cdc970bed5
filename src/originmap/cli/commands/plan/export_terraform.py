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
    """Export the live mappings as Terraform resources.

    The resources are of the type cloudflare_origin_cloud_region of provider 5.20. Each has an
    import block (Terraform 1.5 or OpenTofu), so that terraform plan has nothing to create.

    Example: originmap export terraform --zone example.com --out origins.tf
    """
    export(write_terraform, zones, only, api, out)

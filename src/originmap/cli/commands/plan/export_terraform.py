"""originmap export terraform: the live mappings for Terraform and OpenTofu."""

from pathlib import Path

import click

from originmap.cli.api_options import api, only, out, zones
from originmap.cli.live_export import export
from originmap.domain.plan.selection import Pattern
from originmap.mapfile.terraform import write_terraform, write_terraform_map

STYLES = {"blocks": write_terraform, "for_each": write_terraform_map}


@click.command("terraform")
@zones
@only
@api
@out
@click.option(
    "--style",
    type=click.Choice(list(STYLES)),
    default="blocks",
    show_default=True,
    help="blocks: a resource for each mapping; for_each: one for all, from a map.",
)
def command(
    zones: tuple[str, ...], only: tuple[Pattern, ...], api: str, out: Path | None, style: str
) -> None:
    """Export the live mappings as Terraform resources.

    The resources are of the type cloudflare_origin_cloud_region of provider 5.20. Each has an
    import block, so that terraform plan has nothing to create; that needs Terraform 1.5 or
    OpenTofu, and Terraform 1.7 for the style for_each.

    Example: originmap export terraform --zone example.com --out origins.tf
    """
    export(STYLES[style], zones, only, api, out)

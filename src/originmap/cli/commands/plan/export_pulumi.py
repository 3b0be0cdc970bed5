"""originmap export pulumi: the live mappings for Pulumi."""

from pathlib import Path

import click

from originmap.cli.api_options import api, only, out, zones
from originmap.cli.live_export import export
from originmap.domain.plan.selection import Pattern
from originmap.mapfile.pulumi import write_pulumi


@click.command("pulumi")
@zones
@only
@api
@out
def command(zones: tuple[str, ...], only: tuple[Pattern, ...], api: str, out: Path | None) -> None:
    """Export the live mappings as a Pulumi program in YAML.

    Each resource has its import ID.

    Example: originmap export pulumi --zone example.com --out Pulumi.yaml
    """
    export(write_pulumi, zones, only, api, out)

"""originmap regions: the catalogue of regions."""

import click

from originmap import bootstrap
from originmap.cli import options
from originmap.cli.output.table import print_json, print_table


@click.command("regions")
@click.option("--vendor", help="Only regions of this vendor: aws, azure, gcp or oci.")
@options.as_json
def command(vendor: str | None, as_json: bool) -> None:
    """Print the catalogue of regions and their upper tiers.

    The first upper tier is the primary. The command needs no database. With --json the output has
    the coordinates and the source of each region: docs/catalogue.md.

    Example: originmap regions --vendor gcp
    """
    everything = bootstrap.packaged_regions()
    rows = [
        {
            "vendor": region.vendor,
            "region": region.name,
            "status": str(region.status),
            "city": region.city,
            "country": region.country,
            "latitude": region.latitude,
            "longitude": region.longitude,
            "upper_tiers": list(colos),
            "source": region.source,
        }
        for region, colos in everything
        if vendor in (None, region.vendor)
    ]
    if not rows:
        vendors = ", ".join(dict.fromkeys(region.vendor for region, _ in everything))
        raise click.BadParameter(
            f"no vendor {vendor!r}; there are {vendors}", param_hint="--vendor"
        )
    if as_json:
        print_json(rows)
    else:
        print_table(rows, ("vendor", "region", "status", "city", "country", "upper_tiers"))

"""originmap catalogue: the operator's own regions."""

from pathlib import Path
from typing import Any

import click

from originmap.cli import option_types, options
from originmap.cli.output.table import print_json, print_table
from originmap.cli.server_options import server
from originmap.client.server import NATIVE, APIServer
from originmap.domain.mapping.own_regions import OwnRegion

_PATH = NATIVE + "/catalogue"
_COLUMNS = ("vendor", "region", "city", "country", "latitude", "longitude")


@click.group("catalogue")
def command() -> None:
    """Show and change your own vendors and regions."""


@command.command("show")
@server
@options.as_json
def show(server: APIServer, as_json: bool) -> None:
    """Print your own vendors and regions.

    The output of --json is the input of originmap catalogue import. originmap regions prints the
    packaged regions.

    Example: originmap catalogue show --db originmap.db
    """
    own = server.ask("GET", _PATH)
    if as_json:
        print_json(own["regions"])
    else:
        print_table(own["regions"], _COLUMNS)


@command.command("add")
@click.argument("vendor")
@click.argument("region")
@click.option(
    "--latitude", required=True, type=option_types.Degrees(90), help="Degrees, north positive."
)
@click.option(
    "--longitude", required=True, type=option_types.Degrees(180), help="Degrees, east positive."
)
@click.option("--city", default="", help="City of the region.")
@click.option("--country", default="", help="ISO 3166-1 alpha-2 code, as in DE.")
@server
def add(server: APIServer, **region: Any) -> None:
    """Add a region, or replace it.

    The upper tier of its origins follows from the coordinates. A region of the packaged catalogue
    cannot be replaced.

    Example: originmap catalogue add acme fra-1 --latitude 50.1155 --longitude 8.6842
    """
    _change(server, {"add": [region]}, f"{region['vendor']} {region['region']} is in the catalogue")


@command.command("import")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--vendor", help="FILE is a geofeed (RFC 8805) of this vendor.")
@click.option(
    "--places",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="CSV file with city, country, latitude, longitude and optionally subdivision, for the "
    "cities of a geofeed.",
)
@server
def import_(file: Path, vendor: str | None, places: Path | None, server: APIServer) -> None:
    """Add the regions in a file, or replace them.

    FILE is a YAML or JSON file with the list regions, each with vendor, region, latitude and
    longitude, and optionally city and country. With --vendor it is a geofeed; its regions are
    named after the place, as in nl-nh-amsterdam. A geofeed has no coordinates: cities that the
    packaged catalogue lacks must be in the file of --places. If anything is wrong, nothing changes.

    Example: originmap catalogue import regions.yaml --db originmap.db

    Example: originmap catalogue import geofeed.csv --vendor acme --db originmap.db
    """
    if places and not vendor:
        raise click.UsageError("--places is for geofeeds: give --vendor too")
    found = _regions(file, vendor, places)
    body = {"add": [{name: getattr(each, name) for name in _COLUMNS} for each in found]}
    _change(server, body, f"imported {_counted(len(found))}")


@command.command("remove")
@click.argument("vendor")
@click.argument("regions", metavar="REGION...", nargs=-1, required=True)
@server
def remove(vendor: str, regions: tuple[str, ...], server: APIServer) -> None:
    """Remove regions of a vendor.

    A region that mappings name cannot be removed.

    Example: originmap catalogue remove acme fra-1 --db originmap.db
    """
    removed = [{"vendor": vendor, "region": region} for region in regions]
    _change(server, {"remove": removed}, f"removed {_counted(len(removed))}")


def _regions(file: Path, vendor: str | None, places: Path | None) -> list[OwnRegion]:
    # Only this command needs the reader of YAML.
    from originmap import data
    from originmap.domain.mapping.cities import Cities
    from originmap.mapfile import own_regions

    if not vendor:
        return own_regions.read_yaml(file)
    cities = [*data.cities(), *(own_regions.read_cities(places) if places else ())]
    return own_regions.read_geofeed(file, vendor, Cities(cities))


def _change(server: APIServer, body: dict[str, Any], done: str) -> None:
    changed = server.ask("PATCH", _PATH, body=body)
    click.echo(f"{done}; there are {_counted(len(changed['regions']))} of your own now", err=True)


def _counted(count: int) -> str:
    return f"{count:,} region{'s' * (count != 1)}"

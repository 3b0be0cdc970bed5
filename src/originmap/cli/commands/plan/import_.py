"""originmap import: convert a CSV file or a Terraform state to a mappings file."""

import io
from pathlib import Path

import click

from originmap import data
from originmap.cli.api_options import out, write_out
from originmap.domain.number import counted
from originmap.mapfile import reader
from originmap.mapfile.document import AUTO
from originmap.mapfile.errors import UnusableFile
from originmap.mapfile.terraform import TYPE
from originmap.mapfile.terraform_state import read_state
from originmap.mapfile.writer import WRITERS, ZoneState


@click.group("import")
def command() -> None:
    """Convert a CSV file or a Terraform state to a mappings file."""


@command.command("csv")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@out
def csv_(file: Path, out: Path | None) -> None:
    """Convert a CSV file to a mappings file in YAML.

    The columns of FILE are zone, origin_ip, vendor, region and, optionally, comment, separated by
    commas, semicolons, tabs or vertical bars. Every address and region is checked; the error lists
    all problems.

    Example: originmap import csv origins.csv --out mappings.yaml
    """
    if file.suffix.lower() != ".csv":
        raise UnusableFile(str(file), "its name does not end in .csv")
    document = reader.read(file, data.catalogue())
    states = []
    for zone in document.zones.values():
        unknown = [*zone.hosts.values(), *(w for w in zone.origins.values() if w.auto)]
        if unknown:
            where = unknown[0].where
            hint = f"originmap plan takes the CSV as it is, host names and {AUTO} included"
            raise UnusableFile(str(where), "import wants addresses and their regions", hint)
        comments = {a: w.comment for a, w in zone.origins.items() if w.comment}
        places = {a: w.place for a, w in zone.origins.items()}
        states.append(ZoneState(zone.zone, places, comments))
    _write(sorted(states, key=lambda state: state.zone), out)


@command.command("terraform")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@out
def terraform(file: Path, out: Path | None) -> None:
    """Convert a Terraform or OpenTofu state to a mappings file in YAML.

    FILE is the output of terraform show -json, or a state file of format 4 (terraform state pull).
    Resources of all modules, instances and providers are read, including tainted ones; data sources
    are skipped. Zones are named by their IDs.

    Plans, encrypted states and state files of another format are refused. So are resources without
    zone_id, origin_ip, vendor or region, two resources for one address of a zone, and deposed
    objects; the error lists all of them by resource address.

    Example: originmap import terraform state.json --out mappings.yaml
    """
    states = read_state(file)
    _write(states, out)
    if not states:
        click.echo(f"{file}: no resource of type {TYPE} in this state", err=True)


def _write(states: list[ZoneState], out: Path | None) -> None:
    text = io.StringIO()
    WRITERS["yaml"](states, text)
    write_out(out, [text.getvalue()])
    count = sum(len(state.mappings) for state in states)
    click.echo(f"{counted(count, 'mapping')} in {counted(len(states), 'zone')}", err=True)

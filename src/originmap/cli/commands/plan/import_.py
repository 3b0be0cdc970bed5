"""originmap import: a file of mappings from what other tools wrote."""

import io
from pathlib import Path

import click

from originmap import data
from originmap.cli.api_options import out, write_out
from originmap.mapfile import reader
from originmap.mapfile.document import AUTO
from originmap.mapfile.errors import UnusableFile
from originmap.mapfile.terraform import TYPE
from originmap.mapfile.terraform_state import read_state
from originmap.mapfile.writer import WRITERS, ZoneState


@click.group("import")
def command() -> None:
    """Make a file of mappings from what other tools wrote."""


@command.command("csv")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@out
def csv_(file: Path, out: Path | None) -> None:
    """Print a CSV FILE (columns zone, origin_ip, vendor, region, and comment) as YAML.

    Every address and region is checked, and everything wrong is told at once.

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
    """Print the mappings in FILE, a Terraform state or what terraform show -json printed, as YAML.

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
    click.echo(f"{count:,} mappings in {len(states):,} zones", err=True)

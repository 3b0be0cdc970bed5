"""originmap init: generate a mappings file, which a person only has to review."""

import io
from collections.abc import Iterator
from pathlib import Path

import click

from originmap.cli import address_arguments, options
from originmap.cli.api_options import out, write_out
from originmap.cli.ranges_detector import ranges_detector
from originmap.domain.mapping.address import Address
from originmap.domain.zone.name import may_be_zone
from originmap.mapfile.errors import UnusableFile
from originmap.mapfile.reader import text_of
from originmap.planning.desired import proved
from originmap.planning.draft import NewOrigin, write_draft


@click.command("init")
@click.argument("origins", metavar="[IP|HOST]...", nargs=-1)
@click.option(
    "--zone",
    metavar="NAME",
    help="Zone of the origins. Default: the zone that the zone file names.",
)
@click.option(
    "--zone-file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Read the addresses from this DNS zone file (RFC 1035).",
)
@options.ranges
@out
def command(
    origins: tuple[str, ...],
    zone: str | None,
    zone_file: Path | None,
    ranges: str,
    out: Path | None,
) -> None:
    """Generate a mappings file from addresses, hostnames or a zone file.

    The region of each address is found in the vendors' published IP ranges: docs/detection.md. An
    address without a region becomes a comment with the reason.

    A zone file has A, AAAA and CNAME records; other records are skipped and counted on stderr.
    Details: docs/mappings-as-code.md.

    Example: originmap init --zone example.com 192.0.2.1 www.example.com

    Example: originmap init --zone-file example.com.zone --out mappings.yaml
    """
    if bool(origins) == bool(zone_file):
        raise click.UsageError("give either IPs and host names, or --zone-file FILE")
    if origins and zone is None:
        raise click.UsageError("give the zone that they are origins of: --zone example.com")
    if zone_file is not None:
        name, found = _of_zone_file(zone_file, zone)
    else:
        name, found = _checked(str(zone)), _of_arguments(origins)
    detector = ranges_detector(ranges)
    text = io.StringIO()
    made = [
        NewOrigin(address, names, *proved(detector.detect(address)))
        for address, names in found.items()
    ]
    write_draft(name, made, text)
    write_out(out, [text.getvalue()])
    count = sum(origin.place is not None for origin in made)
    click.echo(f"{count:,} of {len(made):,} origins found in published ranges", err=True)


def _checked(zone: str) -> str:
    if not may_be_zone(zone):
        raise click.BadParameter(f"not the name or id of a zone: {zone!r}", param_hint="--zone")
    return zone


def _of_arguments(texts: tuple[str, ...]) -> dict[Address, list[str]]:
    found: dict[Address, list[str]] = {}
    for name, addresses in _resolved(texts):
        for address in addresses:
            names = found.setdefault(address, [])
            if name is not None and name not in names:
                names.append(name)
    return found


def _resolved(texts: tuple[str, ...]) -> Iterator[tuple[str | None, list[Address]]]:
    for text in texts:
        try:
            yield address_arguments.addresses(text, address_arguments.resolve)
        except address_arguments.Unusable as error:
            raise click.BadParameter(str(error), param_hint="IP|HOST") from None


def _of_zone_file(file: Path, zone: str | None) -> tuple[str, dict[Address, list[str]]]:
    from originmap.mapfile.zone_file import read_zone_file

    records = read_zone_file(file, text_of(file), zone)
    if not records.names:
        raise UnusableFile(str(file), "; ".join(["no A or AAAA record in it", *records.skipped]))
    for line in records.skipped:
        click.echo(line, err=True)
    return zone or records.zone, records.names

"""originmap ranges: import, download and list the vendors' published IP ranges."""

import re
import sys
from pathlib import Path

import click

from originmap import bootstrap
from originmap.cli import option_types, options
from originmap.cli.output.table import print_json, print_table
from originmap.detect import content
from originmap.detect.download import WEB
from originmap.detect.errors import NoRanges, RangesError
from originmap.detect.fetch import SOURCES, fetch
from originmap.detect.files import Kept
from originmap.domain.mapping.own_regions import is_name
from originmap.domain.server_url import InvalidServerURL, parse, without_secrets
from originmap.outbound.errors import UnusableEnvironment
from originmap.settings import outbound_environment

_allow_fewer = click.option(
    "--allow-fewer",
    is_flag=True,
    help="Accept a file with less than 70 % of the prefixes of the one it replaces.",
)


def _checked_vendor(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is not None and not is_name(value):
        raise click.BadParameter(f"{value!r}: a vendor has a-z, 0-9 and hyphens")
    return value


@click.group("ranges")
def command() -> None:
    """Import, download and list the vendors' published IP ranges."""


@command.command("import")
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option(
    "--vendor",
    callback=_checked_vendor,
    help="FILE is of this vendor; required for a geofeed (RFC 8805).",
)
@options.ranges
@_allow_fewer
def import_(files: tuple[Path, ...], vendor: str | None, ranges: str, allow_fewer: bool) -> None:
    """Import the vendors' files of published ranges.

    Each FILE is a file as the vendor publishes it, plain or compressed with gzip. The command
    recognizes the vendor by the content and replaces the vendor's older file; a geofeed does not
    name its vendor, which can be your own. If one file is refused, nothing changes.

    Example: originmap ranges import ip-ranges.json ServiceTags_Public_20261123.json

    Example: originmap ranges import geofeed.csv --vendor acme
    """
    contents = [content.read_file(path) for path in files]
    folder = bootstrap.range_files(ranges)
    for kept in folder.keep(contents, allow_fewer=allow_fewer, expected=vendor):
        click.echo(_said(kept))


def _checked_urls(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    pairs = [(vendor, url) for vendor, _, url in (value.partition("=") for value in values)]
    for vendor, url in pairs:
        if vendor not in SOURCES or not url.startswith(WEB):
            vendors = ", ".join(SOURCES)
            raise click.BadParameter(f"give VENDOR=https://…, with a vendor of {vendors}")
        authority = re.split("[/?#]", url.partition("://")[2])[0]
        if "@" in authority:
            raise click.BadParameter(f"{without_secrets(url)}: a user or a password is not used")
        try:
            parse(f"https://{authority}")
        except InvalidServerURL as error:
            raise click.BadParameter(f"{vendor}: {error}") from None
    return dict(pairs)


@command.command("fetch")
@click.option(
    "--vendor",
    "vendors",
    multiple=True,
    type=click.Choice(list(SOURCES)),
    help="Only this vendor's file; repeatable. Default: all vendors.",
)
@click.option(
    "--url",
    "urls",
    multiple=True,
    metavar="VENDOR=URL",
    callback=_checked_urls,
    help="Other URL for the file of a vendor, or for a page that links to it; repeatable.",
)
@click.option(
    "--timeout",
    default=60.0,
    show_default=True,
    type=option_types.Amount(0.1, 3600),
    help="Timeout of a download in seconds.",
)
@options.ranges
@_allow_fewer
def fetch_(
    vendors: tuple[str, ...], urls: dict[str, str], timeout: float, ranges: str, allow_fewer: bool
) -> None:
    """Download the vendors' files of published ranges that changed.

    If a download fails or a file is refused, the vendor's older file stays, the command continues
    with the other vendors, and the exit status is 1.

    Example: originmap ranges fetch --vendor aws --vendor gcp
    """
    files = bootstrap.range_files(ranges)
    failed = False
    for vendor in vendors or tuple(SOURCES):
        url = urls.get(vendor, SOURCES[vendor])
        try:
            fetched = fetch(
                files,
                vendor,
                url,
                timeout,
                allow_fewer=allow_fewer,
                environment=outbound_environment(),
            )
        except (RangesError, UnusableEnvironment) as error:
            failed = True
            click.echo(f"{vendor}: {error}", err=True)
            if error.hint:
                click.echo(f"  {error.hint}", err=True)
        else:
            click.echo(_said(fetched.kept) if fetched.kept else f"{vendor}: unchanged")
    if failed:
        sys.exit(1)


@command.command("status")
@options.ranges
@options.as_json
def status(ranges: str, as_json: bool) -> None:
    """List the files of published ranges.

    Each row has the vendor, the date of publication, and the number of prefixes and regions.

    Example: originmap ranges status
    """
    files = bootstrap.range_files(ranges)
    rows = [_row(kept) for kept in files.kept()]
    if not rows:
        raise NoRanges(str(files.folder))
    if as_json:
        print_json(rows)
    else:
        print_table(rows, ("vendor", "published", "prefixes", "regions", "file"))


def _said(kept: Kept) -> str:
    row = _row(kept)
    return (
        f"{row['vendor']}: {row['prefixes']:,} prefixes in {row['regions']} regions, "
        f"published {row['published']}"
    )


def _row(kept: Kept) -> dict[str, object]:
    note = kept.note
    return {
        "vendor": kept.publication.vendor,
        "published": options.shown(kept.publication.published),
        "prefixes": len(kept.publication.ranges),
        "regions": len(kept.publication.regions),
        "file": str(kept.path),
        "kept_at": options.shown(note.kept_at) if note else None,
        "sha256": note.sha256 if note else None,
        "source": note.name if note else None,
    }

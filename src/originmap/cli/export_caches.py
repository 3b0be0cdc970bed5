"""originmap export FORMAT for each format of the table in `export.formats`."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from originmap.atomic_file import replacing
from originmap.cli import node, options
from originmap.cli.administer import administer, stream
from originmap.domain.errors import InvalidExport
from originmap.edge.name_lookup import look_up
from originmap.export.endpoint import Addresses
from originmap.export.format import Family, Format
from originmap.service.exports import Wanted
from originmap.service.operate.exports import ExportFamily, ExportNames, ExportZones

_MODE = 0o644  # the cache, which runs as another user, has to read it


def command(known: Format) -> click.Command:
    """The command that makes this format."""
    chosen = [option for needed, option in _OPTIONS if needed(known)]

    def run(**given: Any) -> None:
        _export(known, **given)

    for option in reversed(chosen):
        run = option(run)
    out = f"/etc/{known.name}" if known.several else known.files[0].name
    where = f" --upstream '{node.EXAMPLE_UPSTREAM}'" if known.upstreams else ""
    example = f"originmap export {known.name} --colo SIN{where} --out {out} --db originmap.db"
    return click.command(known.name, help=f"{known.help}\n\nExample: {example}")(run)


_file = click.option("--file", metavar="NAME", help="Only this file of the format.")
_out = click.option(
    "--out",
    metavar="PATH",
    callback=options.checked_path,
    help="Write here: a file, or a folder for several. Else to stdout.",
)
_OPTIONS: tuple[tuple[Callable[[Format], bool], Callable[[Any], Any]], ...] = (
    (lambda known: True, node.zone),
    (lambda known: True, node.colo),
    (lambda known: known.upstreams, node.upstream),
    (lambda known: known.upstreams, node.upstream_file),
    (lambda known: known.several, _file),
    (lambda known: True, _out),
    (lambda known: True, options.db),
)


def _export(
    known: Format,
    zones: tuple[str, ...],
    colo: str | None,
    out: str | None,
    db: str,
    upstreams: tuple[str, ...] = (),
    upstream_file: Any = None,
    file: str | None = None,
) -> None:
    if known.several and not (file or out):
        names = " or ".join(known.names)
        raise click.UsageError(
            f"{known.name} has several files: give --out FOLDER, or --file {names}"
        )
    given = [*node.lines(upstream_file), *upstreams]
    whole = known.several and not file
    found = _addresses(known, Wanted(known.name, None, colo and colo.upper(), given), db)
    for name in [each.name for each in known.files] if whole else [file]:
        wanted = Wanted(known.name, name, colo and colo.upper(), given, found)
        command = ExportZones(wanted, list(zones))
        if out is None:
            stream(db, command, sys.stdout.buffer.write)
            continue
        with _replaced(Path(out) / str(name) if whole else Path(out)) as write:
            stream(db, command, write)
    if known.family and whole and out:
        wanted = Wanted(known.name, None, colo and colo.upper(), given)
        _export_family(known.family, wanted, Path(out), db)


def _addresses(known: Format, wanted: Wanted, db: str) -> Addresses:
    """The addresses of the upper tiers' names, as this machine looks them up."""
    names = administer(db, ExportNames(wanted)) if known.of_addresses else []
    return look_up([row["name"] for row in names])


def _export_family(family: Family, wanted: Wanted, out: Path, db: str) -> None:
    """Write each file of a family, and tell of those that are not written any more: whoever loads
    them says when they may go."""
    files = administer(db, ExportFamily(wanted))
    for file in files:
        with _replaced(out / file["name"]) as write:
            write(file["text"].encode())
    written = {out / file["name"] for file in files}
    for path in sorted(set(out.glob(family.pattern)) - written):
        click.echo(f"originmap: {path} stays as it was: {family.help}", err=True)


@contextlib.contextmanager
def _replaced(path: Path) -> Iterator[Callable[[bytes], object]]:
    """Write a file as `atomic_file.replacing` does: one that is as it was is left alone, so that a
    cache that watches its files loads nothing. Raises InvalidExport."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path, _MODE) as file:
            yield file.write
    except OSError as error:
        raise InvalidExport(f"cannot write {path}: {error.strerror or error}") from error

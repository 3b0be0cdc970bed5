"""originmap export FORMAT for each format of the table in `export.formats`."""

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import click

from originmap.atomic_file import replacing
from originmap.cli import node_options, options
from originmap.cli.server_options import server as server_options
from originmap.client.server import NATIVE, APIServer, Query
from originmap.domain.errors import InvalidExport
from originmap.edge.name_lookup import look_up
from originmap.export.format import Family, Format

_TEXT = """\
{what}

How the export is used: docs/exports.md#{section}. Files are replaced atomically: a reader sees the
old content or the new content, never a part.

Example: {example}
"""
_SECTIONS = {
    "trafficserver": "traffic-server",
    "csv": "csv-and-json-lines",
    "json": "csv-and-json-lines",
}
_MODE = 0o644  # the cache, which runs as another user, has to read it


def command(known: Format) -> click.Command:
    """The command that makes this format."""

    def run(**given: Any) -> None:
        _export(known, **given)

    for option in reversed(list(_options_of(known))):
        run = option(run)
    out = f"/etc/{known.name}" if known.several else known.files[0].name
    where = f" --upstream '{node_options.EXAMPLE_UPSTREAM}'" if known.upstreams else ""
    example = f"originmap export {known.name} --colo SIN{where} --out {out} --db originmap.db"
    section = _SECTIONS.get(known.name, known.name)
    text = _TEXT.format(what=known.help, section=section, example=example)
    return click.command(known.name, help=text)(run)


def _options_of(known: Format) -> Iterator[Callable[[Any], Any]]:
    yield node_options.zone
    yield node_options.colo
    if known.upstreams:
        yield node_options.upstream
        yield node_options.upstream_file
    if known.several:
        names = ", ".join(known.names)
        yield click.option("--file", metavar="NAME", help=f"Only this file of the format: {names}.")
    yield click.option(
        "--out",
        metavar="PATH",
        callback=options.checked_path,
        help="Folder to write the files to. With --file: the file to write, by default stdout."
        if known.several
        else "File to write. Default: stdout.",
    )
    yield server_options


def _export(
    known: Format,
    zones: tuple[str, ...],
    colo: str | None,
    out: str | None,
    server: APIServer,
    upstreams: tuple[str, ...] = (),
    upstream_file: BinaryIO | None = None,
    file: str | None = None,
) -> None:
    if known.several and not (file or out):
        names = " or ".join(known.names)
        raise click.UsageError(
            f"{known.name} has several files: give --out FOLDER, or --file {names}"
        )
    path = f"{NATIVE}/export/{known.name}"
    query = [("upstream", each) for each in (*node_options.lines(upstream_file), *upstreams)]
    query += [("colo", colo)] if colo else []
    asked = [*query, *(("zone", zone) for zone in zones), *_addresses(known, server, path, query)]
    whole = known.several and not file
    for name in [each.name for each in known.files] if whole else [file]:
        of_file = [*asked, ("file", name)] if name else asked
        if out is None:
            server.stream(path, of_file, sys.stdout.buffer.write)
            continue
        with _replaced(Path(out) / str(name) if whole else Path(out)) as write:
            server.stream(path, of_file, write)
    if known.family and whole and out:
        files = server.ask("GET", path + "/family", query)
        _write_family(known.family, files, Path(out))


def _addresses(known: Format, server: APIServer, path: str, query: Query) -> Query:
    """The addresses of the upper tiers' names, as this machine looks them up."""
    names = server.ask("GET", path + "/names", query) if known.of_addresses else ()
    found = look_up(names)
    return [("address", f"{name}={address}") for name in found for address in found[name]]


def _write_family(family: Family, files: Mapping[str, str], out: Path) -> None:
    """Write each file of a family. Report older files that are no longer part of it, and keep them:
    the cache may still load them."""
    for name, text in files.items():
        with _replaced(out / name) as write:
            write(text.encode())
    for path in sorted(set(out.glob(family.pattern)) - {out / name for name in files}):
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

"""originmap report: record what other commands found, so that the feed and webhooks have it."""

from pathlib import Path
from typing import Any

import click

from originmap import bootstrap
from originmap.cli import options
from originmap.cli.server_options import server
from originmap.client.server import NATIVE, APIServer
from originmap.detect.errors import NoRanges
from originmap.domain.history.report import MAX_SUBJECTS
from originmap.planning import plan_json


@click.group("report")
def command() -> None:
    """Record drift or published ranges as a change, for webhooks."""


@command.command("drift")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@server
def drift(file: Path, server: APIServer) -> None:
    """Record how many mappings of each zone differ from their file.

    FILE is the report that originmap drift wrote. A report that says the same as the last one
    changes nothing.

    Example: originmap report drift drift.json --db originmap.db
    """
    zones = plan_json.load(file).plan.zones
    differing = {zone.name: zone.size for zone in zones if zone.size}
    _record(server, "drift", [{"name": n, "count": count} for n, count in differing.items()])


@command.command("ranges")
@options.ranges
@server
def ranges(ranges: str, server: APIServer) -> None:
    """Record which ranges the vendors publish.

    These are the files that originmap ranges fetch keeps. A report that says the same as the last
    one changes nothing, so run it after each fetch.

    Example: originmap report ranges --db originmap.db
    """
    files = bootstrap.range_files(ranges)
    publications = [kept.publication for kept in files.kept()]
    if not publications:
        raise NoRanges(str(files.folder))
    subjects = [
        {"name": each.vendor, "count": len(each.ranges), "detail": options.shown(each.published)}
        for each in publications
    ]
    _record(server, "ranges", subjects)


def _record(server: APIServer, kind: str, subjects: list[dict[str, Any]]) -> None:
    body = {"kind": kind, "subjects": subjects[:MAX_SUBJECTS]}
    found = server.ask("POST", NATIVE + "/reports", body=body)
    click.echo(f"last {kind} report: {found['reported_on']}", err=True)

"""From the arguments of an export of live mappings to its text."""

import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TextIO

from originmap.cli.api_options import remote, write_out
from originmap.cli.planning import Reading, print_same_name
from originmap.domain.plan.selection import Pattern, Selection
from originmap.mapfile.terraform import ExportedZone
from originmap.planning.snapshot import snapshot, zones_asked_for


def export(
    write: Callable[[Iterable[ExportedZone], TextIO], None],
    zones: tuple[str, ...],
    only: tuple[Pattern, ...],
    api: str,
    out: Path | None,
) -> None:
    """Write the live mappings of the zones that were asked for. Raises OriginmapError."""
    text = io.StringIO()
    with remote(api) as mappings:
        asked = zones_asked_for(mappings, zones, print_same_name)
        with Reading(len(asked)) as reading:
            write(snapshot(mappings, asked, Selection(only), reading.on_zone), text)
    write_out(out, [text.getvalue()])

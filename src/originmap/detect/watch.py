"""Keeps a server's table as new as the files: reads them when they change, in a thread."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from originmap.detect.errors import RangesError
from originmap.detect.files import RangeFiles
from originmap.domain.detection.ranges import RangeTable

_LOG = logging.getLogger(__name__)
SECONDS = 30.0

_Seen = tuple[tuple[str, int, int], ...]


async def watch(
    files: RangeFiles, replace: Callable[[RangeTable], None], seconds: float = SECONDS
) -> None:
    """Give `replace` the table of the files now and after each change, until cancelled.

    Files that cannot be used are logged, and the table stays what it was.
    """
    seen: _Seen = ()
    while True:
        now = _fingerprint(files.folder)
        if now != seen:
            seen = now
            try:
                replace(await asyncio.to_thread(files.table))
            except RangesError as error:
                data = {"why": str(error), "hint": error.hint}
                _LOG.error("ranges cannot be used", extra={"data": data})
            except OSError as error:
                data = {"why": str(error), "hint": f"let the server read {files.folder}"}
                _LOG.error("ranges cannot be used", extra={"data": data})
        await asyncio.sleep(seconds)


def _fingerprint(folder: Path) -> _Seen:
    """What changes whenever a file is written: names, times and sizes."""
    try:
        found = [(path.name, path.stat()) for path in folder.iterdir()]
    except OSError:
        return ()
    return tuple(sorted((name, stat.st_mtime_ns, stat.st_size) for name, stat in found))

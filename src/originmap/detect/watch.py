"""Reloads a server's table of ranges, in a thread, when the files change."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from originmap.detect.errors import RangesError
from originmap.domain.detection.ranges import RangeTable

_LOG = logging.getLogger(__name__)
SECONDS = 30.0

_Fingerprint = tuple[tuple[str, int, int], ...]


async def watch(
    folder: Path,
    read: Callable[[], RangeTable],
    replace: Callable[[RangeTable], None],
    seconds: float = SECONDS,
) -> None:
    """Call `replace` with the table that `read` returns of the files in the folder, now and after
    each change, until cancelled; not while the folder is empty.

    If the files cannot be used, the error is logged and the table stays as it is.
    """
    last: _Fingerprint = ()
    while True:
        current = _fingerprint(folder)
        if current != last:
            last = current
            try:
                replace(await asyncio.to_thread(read))
            except RangesError as error:
                data = {"why": str(error), "hint": error.hint}
                _LOG.error("ranges cannot be used", extra={"data": data})
            except OSError as error:
                data = {"why": str(error), "hint": f"give the server read access to {folder}"}
                _LOG.error("ranges cannot be used", extra={"data": data})
        await asyncio.sleep(seconds)


def _fingerprint(folder: Path) -> _Fingerprint:
    """The names, times and sizes of the files, which change whenever a file is written."""
    try:
        entries = [(path.name, path.stat()) for path in folder.iterdir()]
    except OSError:
        return ()
    return tuple(sorted((name, stat.st_mtime_ns, stat.st_size) for name, stat in entries))

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


class RangesWatch:
    """Looks at a folder of files. Whenever they have changed, it calls `replace` with the table
    that `read` returns in a thread."""

    def __init__(
        self, folder: Path, read: Callable[[], RangeTable], replace: Callable[[RangeTable], None]
    ) -> None:
        self._folder = folder
        self._read = read
        self._replace = replace
        self._last: _Fingerprint = ()

    async def look(self) -> None:
        """Read the files if they have changed. If they cannot be used, the error is logged and the
        table stays as it is."""
        current = _fingerprint(self._folder)
        if current == self._last:
            return
        self._last = current
        try:
            self._replace(await asyncio.to_thread(self._read))
        except RangesError as error:
            data = {"why": str(error), "hint": error.hint}
            _LOG.error("ranges cannot be used", extra={"data": data})
        except OSError as error:
            data = {"why": str(error), "hint": f"give the server read access to {self._folder}"}
            _LOG.error("ranges cannot be used", extra={"data": data})

    async def run(self, seconds: float = SECONDS) -> None:
        """Look again after every so many seconds, until cancelled."""
        while True:
            await asyncio.sleep(seconds)
            await self.look()


def _fingerprint(folder: Path) -> _Fingerprint:
    """The names, times and sizes of the files, which change whenever a file is written."""
    try:
        entries = [(path.name, path.stat()) for path in folder.iterdir()]
    except OSError:
        return ()
    return tuple(sorted((name, stat.st_mtime_ns, stat.st_size) for name, stat in entries))

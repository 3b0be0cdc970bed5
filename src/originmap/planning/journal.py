"""The plans whose apply was started and is not verified yet, as files.

A plan's file is created before the first write and removed after the verification. While it
exists, the live mappings may be a partly applied plan. The file records no progress: the live
mappings show it.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from originmap.atomic_file import replace_file
from originmap.planning.errors import StateUnwritable, UnusablePlan
from originmap.planning.plan_json import Planned, load


class Journal:
    """A folder with a file for each plan that was started, named by its digest."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, digest: str) -> Path:
        """The file of a plan in progress, in the format of a saved plan."""
        return self._folder / f"{digest}.plan.json"

    def begun(self, digest: str) -> bool:
        """Whether this plan was started and not finished."""
        try:
            return self.path(digest).exists()
        except OSError:  # this user cannot read the folder, so has started nothing
            return False

    def begin(self, digest: str, saved: Iterable[bytes]) -> None:
        """Save a plan durably before its first write. Raises StateUnwritable."""
        path = self.path(digest)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(path, saved)
        except OSError as error:
            raise StateUnwritable(str(self._folder), error.strerror or str(error)) from error

    def left_behind(self, planned: Planned) -> Iterator[str]:
        """The digests of the started plans for the same API whose zones this plan covers too:
        when this plan is done, they are obsolete."""
        zones = {zone.id for zone in planned.plan.zones}
        for path in sorted(self._folder.glob("*.plan.json")):
            try:
                other = load(path)
            except UnusablePlan:
                continue
            if other.api == planned.api and zones.issuperset(z.id for z in other.plan.zones):
                yield other.plan.digest

    def finish(self, digest: str) -> None:
        """Remove the file of a verified plan. Raises StateUnwritable."""
        if not self.begun(digest):
            return
        try:
            self.path(digest).unlink(missing_ok=True)
        except OSError as error:
            raise StateUnwritable(str(self._folder), error.strerror or str(error)) from error
